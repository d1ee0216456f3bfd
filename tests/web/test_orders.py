"""Orders and vouchers over HTTP, from the phone and at the till (订单、券与核销接口)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, public_id
from app.kernel.redis import RedisAway
from tests.support.acts import one
from tests.support.mall import TestTill, merchant, till
from tests.web.counter import REDEMPTIONS, Counter

MINUTE = timedelta(minutes=1)


@pytest.fixture
def counter(app: FastAPI, client: TestClient, city: City) -> Counter:
    return Counter(app, client, city)


def test_from_a_quote_to_a_reversal(counter: Counter) -> None:
    offer = counter.street.offer(price_points=70)
    ann = counter.person(y2028=50, y2027=60)
    named = public_id("off", offer)
    quote = ann.get("/v1/orders/quote", offer=named)
    assert (quote["points"], quote["missing_points"], quote["available_after_points"]) == (
        70,
        0,
        40,
    )
    assert [each["points"] for each in quote["parts"]] == [60, 10]
    ordered = ann.ask("POST", "/v1/orders", counter.wanted(offer), key="once")
    assert ordered.status_code == 201, ordered.text
    again = ann.ask("POST", "/v1/orders", counter.wanted(offer), key="once")
    assert (again.content, again.headers["idempotent-replayed"]) == (ordered.content, "true")
    order = ordered.json()
    assert order["parts"] == quote["parts"]
    assert ann.get("/v1/orders")["data"] == [order]
    assert ann.get(f"/v1/orders/{order['id']}") == order
    voucher = counter.shown(ann, order)

    first = counter.redeem(voucher["qr"])
    assert first.status_code == 201, first.text
    body = first.json()
    assert (body["points"], body["claim_fen"], body["message"]) == (70, 70, "Redeemed")
    second = counter.redeem(voucher["qr"], at=till(counter.city.db, counter.shop))
    assert (second.status_code, second.headers["idempotent-replayed"]) == (200, "true")
    assert second.json()["message"].startswith("Already redeemed here at 20")
    assert second.json() | {"message": ""} == body | {"message": ""}
    path = f"{REDEMPTIONS}/{body['id']}"
    assert counter.get(path).json()["state"] == "redeemed"
    assert ann.get(f"/v1/orders/{order['id']}")["state"] == "redeemed"
    assert ann.ask("GET", f"/v1/vouchers/{order['voucher']}").json()["code"] == "order.ended"

    back = counter.post(f"{path}/reverse")
    assert (back.status_code, back.json()["state"]) == (201, "reversed"), back.text
    same = counter.post(f"{path}/reverse")
    assert (same.status_code, same.json()) == (200, back.json())
    assert counter.get(path).json()["state"] == "reversed"
    assert ann.get("/v1/orders/quote", offer=named)["available_points"] == 110


def test_a_phone_makes_the_next_codes_itself(counter: Counter) -> None:
    """Only what the API tells it: the key, the step and how the mac is made."""
    import hmac  # noqa: PLC0415 -- as the phone has it

    ann = counter.person(y2027=500)
    shown = counter.shown(ann, counter.order(ann))
    version, voucher, step, _ = shown["qr"].split(".")
    following = str(int(step) + 1)
    mac = hmac.digest(bytes.fromhex(shown["key"]), following.encode(), "sha256").hex()[:12]
    assert counter.redeem(f"{version}.{voucher}.{following}.{mac}").status_code == 201
    order = counter.order(ann)
    assert counter.redeem(counter.shown(ann, order)["printed"].lower()).status_code == 201


def test_the_quick_way_in_answers_as_the_ordinary_one(counter: Counter) -> None:
    """A type with a parameter is as good a JSON, and goes through FastAPI's solving."""
    ann = counter.person(y2027=500)
    shown = [counter.shown(ann, counter.order(ann))["qr"] for _ in range(2)]
    stolen = replace(counter.till, private_key=Ed25519PrivateKey.generate())

    def asked(
        kind: str, body: bytes, key: str, till: TestTill = counter.till
    ) -> tuple[int, object]:
        headers = till.sign("POST", REDEMPTIONS, body=body, key=key, content_type=kind)
        answer = counter.client.post(REDEMPTIONS, content=body, headers=headers)
        said = answer.json()
        bare = {name: said[name] for name in said.keys() & {"code", "points", "state", "errors"}}
        return answer.status_code, (answer.headers["content-type"], bare)

    said: list[tuple[tuple[int, object], ...]] = []
    for kind, code in zip(
        ("application/json", "application/json;charset=utf-8"), shown, strict=True
    ):
        body, key = json.dumps({"code": code}).encode(), f"key-of-{code}"
        said.append(
            (
                asked(kind, body, key, stolen),
                asked(kind, body, key),
                asked(kind, body, key),
                asked(kind, body + b" ", key),
                asked(kind, b'{"code":"WFQC-2HFW-D266"}', "other"),
                asked(kind, b'{"code":"x","more":1}', "other"),
                asked(kind, b'{"code":"\\ud800"}', "other"),
                asked(kind, b"{", "other"),
                asked(kind, body, "a key"),
                asked(kind, body, "k" * 201),
            )
        )
    assert said[0] == said[1]
    assert [each[0] for each in said[0]] == [401, 201, 200, 200, 404, 422, 422, 422, 400, 422]


def test_cancelling_gives_back_and_ends_the_voucher(counter: Counter) -> None:
    ann = counter.person(y2027=30)
    order = counter.order(ann)
    qr = counter.shown(ann, order)["qr"]
    gone = ann.ask("POST", f"/v1/orders/{order['id']}/cancel")
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    again = ann.ask("POST", f"/v1/orders/{order['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "order.ended")
    late = counter.redeem(qr)
    assert (late.status_code, late.json()["code"]) == (409, "voucher.cancelled")
    assert ann.ask("GET", f"/v1/vouchers/{order['voucher']}").json()["code"] == "voucher.cancelled"
    assert counter.order(ann)["points"] == 30


def test_what_was_bought_stays_what_it_was(counter: Counter) -> None:
    """A merchant makes tea of a sold latte: phone and till go on saying latte, as did the order."""
    ann = counter.person(y2027=100)
    redeemed, order = counter.order(ann), counter.order(ann)
    done = counter.redeem(counter.shown(ann, redeemed)["qr"]).json()
    counter.street.run("update offer set kind = 'coupon', title_zh = '茶', title_en = 'Tea'")
    latte = {"kind": "goods", "title_zh": "拿铁", "title_en": "Latte"}
    assert ann.get(f"/v1/orders/{order['id']}") == order
    assert order["offer"].items() >= latte.items()
    shown = counter.shown(ann, order)
    assert shown["offer"] == order["offer"]
    found = counter.get(f"{REDEMPTIONS}/{done['id']}").json()
    assert (found["title_zh"], found["title_en"]) == ("拿铁", "Latte")
    taken = counter.redeem(shown["qr"]).json()
    assert (taken["title_zh"], taken["title_en"]) == ("拿铁", "Latte")


@pytest.mark.parametrize("away", [False, True], ids=["redis", "no redis"])
def test_a_citizen_orders_and_cancels_a_bounded_number_of_times(
    counter: Counter, app: FastAPI, monkeypatch: pytest.MonkeyPatch, *, away: bool
) -> None:
    ann, bo, offer = *(counter.person(y2027=500) for _ in range(2)), counter.street.offer()
    fewer = counter.city.settings.model_copy(update={"orders_hourly_max": 2})
    app.state.city = replace(counter.city, settings=fewer)
    if away:
        monkeypatch.setattr(counter.city.redis, "ask", unavailable)
    orders = [ann.ask("POST", "/v1/orders", counter.wanted(offer)).json() for _ in range(2)]
    for path in ("/v1/orders", f"/v1/orders/{orders[0]['id']}/cancel"):
        body = counter.wanted(offer) if path == "/v1/orders" else None
        told = [ann.ask("POST", path, body) for _ in range(3)][-1]
        assert (told.status_code, told.json()["code"]) == (429, "limits.exceeded"), path
        assert 0 < int(told.headers["retry-after"]) <= 3660
    assert len(ann.get("/v1/orders")["data"]) == 2
    assert bo.ask("POST", "/v1/orders", counter.wanted(offer)).status_code == 201


def unavailable(_question: object) -> None:
    raise RedisAway


def test_two_people_and_two_merchants_see_their_own(counter: Counter) -> None:
    """Unknown and another's look the same, byte for byte but for the address."""
    ann, bo = counter.person(y2027=500), counter.person(y2027=500)
    order = counter.order(ann)
    nobody = {"id": public_id("ord", new_id()), "voucher": public_id("vch", new_id())}
    for method, path in (
        ("GET", "/v1/orders/{id}"),
        ("POST", "/v1/orders/{id}/cancel"),
        ("POST", "/v1/orders/{id}/offline"),
        ("GET", "/v1/vouchers/{voucher}"),
    ):
        told = [bo.ask(method, path.format(**each)) for each in (order, nobody)]
        assert [each.status_code for each in told] == [404, 404], path
        assert told[0].json()["code"] == told[1].json()["code"]
    assert bo.get("/v1/orders") == {"data": [], "next_cursor": None}

    other = merchant(counter.city.db, counter.city.keys, 2)
    stranger = till(counter.city.db, other)
    qr = counter.shown(ann, order)["qr"]
    assert counter.redeem(qr, at=stranger).json()["code"] == "voucher.unknown"
    done = counter.redeem(qr).json()
    assert counter.redeem(qr, at=stranger).json()["code"] == "voucher.unknown"
    path = f"{REDEMPTIONS}/{done['id']}"
    assert counter.get(path, at=stranger).json()["code"] == "redemption.unknown"
    assert counter.post(f"{path}/reverse", at=stranger).json()["code"] == "redemption.unknown"
    confirm = f"{path}/reversal-confirmation"
    refused = counter.ask_as(other.principal(), confirm, "k")
    assert (refused.status_code, refused.json()["code"]) == (404, "redemption.unknown")
    assert ann.get(f"/v1/orders/{order['id']}")["state"] == "redeemed"


def test_a_second_person_confirms_what_another_till_asks(counter: Counter) -> None:
    ann = counter.person(y2027=500)
    done = counter.redeem(counter.shown(ann, counter.order(ann))["qr"]).json()
    path = f"{REDEMPTIONS}/{done['id']}"
    other = till(counter.city.db, counter.shop)
    asked = counter.post(f"{path}/reverse", at=other)
    assert (asked.status_code, asked.json()["state"], asked.json()["id"]) == (202, "asked", None)
    confirm, shop = f"{path}/reversal-confirmation", counter.shop
    assert counter.ask_as(shop.principal(shop.keeper), confirm, "1").status_code == 202
    made = counter.ask_as(shop.principal(), confirm, "2")
    assert (made.status_code, made.json()["points"]) == (201, 30)
    assert counter.ask_as(shop.principal(), confirm, "2").status_code == 200
    assert counter.client.post(confirm).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", REDEMPTIONS),
        ("POST", "/v1/merchant/offline-redemptions"),
        ("GET", f"{REDEMPTIONS}/rdm_0"),
        ("POST", f"{REDEMPTIONS}/rdm_0/reverse"),
    ],
)
def test_nobody_but_a_till_asks_what_tills_ask(counter: Counter, method: str, path: str) -> None:
    ann = counter.person()
    assert ann.ask(method, path, {"code": "x"}).json()["code"] == "signature.missing"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "x"}, 422, "voucher.code_mistyped"),
        ({"code": "x" * 81}, 422, "request.malformed"),
        ({"code": "\x00"}, 422, "request.malformed"),
        ({"code": "x", "more": 1}, 422, "request.malformed"),
        ({}, 422, "request.malformed"),
    ],
)
def test_what_is_no_code_is_refused(
    counter: Counter, body: dict[str, object], status: int, code: str
) -> None:
    answer = counter.post(REDEMPTIONS, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"quantity": 0}, 422, "request.malformed"),
        ({"quantity": 21}, 422, "request.malformed"),
        ({"quantity": "1"}, 422, "request.malformed"),
        ({"offer": "off_"}, 422, "request.malformed"),
        ({"offer": "off_" + "z" * 26}, 404, "order.offer_unknown"),
        ({"version": 7}, 409, "order.price_changed"),
        ({"quantity": 20}, 409, "order.points_short"),
    ],
)
def test_what_cannot_be_ordered_is_refused(
    counter: Counter, changes: dict[str, object], status: int, code: str
) -> None:
    ann = counter.person(y2027=500)
    answer = ann.ask("POST", "/v1/orders", counter.wanted(counter.street.offer(), **changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_refusal_says_how_much_is_lacking_and_how_many_are_too_many(counter: Counter) -> None:
    ann = counter.person(y2027=500)
    wanted = counter.wanted(counter.street.offer(per_person=2), quantity=3)
    assert ann.ask("POST", "/v1/orders", wanted).json()["detail"] == "most: 2"
    wanted = counter.wanted(counter.street.offer(), quantity=20)
    assert ann.ask("POST", "/v1/orders", wanted).json()["detail"] == "missing_points: 100"


def test_the_list_goes_on_behind_its_cursor(counter: Counter) -> None:
    ann = counter.person(y2027=500)
    placed = [counter.order(ann)["id"] for _ in range(3)]
    first = ann.get("/v1/orders", limit=2)
    rest = ann.get("/v1/orders", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in (*first["data"], *rest["data"])] == placed[::-1]
    assert rest["next_cursor"] is None


def test_what_a_till_took_without_a_network_is_told_item_by_item(counter: Counter) -> None:
    ann = counter.person(y2027=500)
    orders = [counter.order(ann) for _ in range(2)]
    opened = [ann.ask("POST", f"/v1/orders/{each['id']}/offline") for each in orders]
    assert [each.status_code for each in opened] == [201, 201]
    taken_at = (now() + timedelta(seconds=1)).isoformat()
    tokens = [each.json()["token"] for each in opened]
    taken = [{"token": token, "at": taken_at} for token in (*tokens, tokens[0], "o1.x.y")]
    told = counter.post("/v1/merchant/offline-redemptions", {"taken": taken})
    assert told.status_code == 200, told.text
    outcomes = ["redeemed", "redeemed", "before", "voucher.unknown"]
    assert [each["outcome"] for each in told.json()["data"]] == outcomes
    again = counter.post("/v1/merchant/offline-redemptions", {"taken": taken}).json()["data"]
    assert [each["outcome"] for each in again] == [*["before"] * 3, "voucher.unknown"]
    kept = "select count(*), count(offline_at), count(distinct redeemed_at) from redemption"
    assert one(counter.city.db, kept) == (2, 2, 2), "each at an instant of its own"
    late = counter.order(ann, price_points=101)
    refused = ann.ask("POST", f"/v1/orders/{late['id']}/offline")
    assert (refused.status_code, refused.json()["code"]) == (409, "order.offline_cap")


def test_whoever_is_leaving_orders_nothing(counter: Counter) -> None:
    ann = counter.person(y2027=500)
    counter.street.run(
        """insert into erasure (bucket, account, id, token, asked_at, stage)
           values (%s, %s, %s, sha256(''), now(), 'stopped')""",
        *(ann.citizen.bucket, ann.citizen.number, new_id()),
    )
    answer = ann.ask("POST", "/v1/orders", counter.wanted(counter.street.offer()))
    assert (answer.status_code, answer.json()["code"]) == (409, "order.leaving")
