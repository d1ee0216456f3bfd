"""Offers over HTTP (商品接口): from a draft to the catalogue, and off the shelf again."""

from typing import Any

import pytest
from sqlmodel import Session
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Role
from app.merchants import MerchantKind
from app.merchants.registry import resume_merchant, suspend_merchant
from app.webhooks import merchant_owner
from tests.support.acts import rows
from tests.support.desk import clerk
from tests.support.offers import DAY, OFFERS, Console, Market, picture, wish
from tests.support.orders import Street

CATALOGUE = "/v1/offers"


@pytest.fixture
def shop(market: Market) -> Console:
    return market.console()


def shown(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401 -- a query's values
    answer = client.get(CATALOGUE, params=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


def test_from_a_draft_to_the_catalogue_and_off_the_shelf(
    market: Market, shop: Console, client: TestClient
) -> None:
    draft = shop.added(per_person=2, price_fen=500, text_zh="热")
    assert (draft["state"], draft["version"], draft["taken"]) == ("draft", 1, 0)
    assert shown(client) == []
    early = market.decide(draft)
    assert (early.status_code, early.json()["code"]) == (409, "offers.stuck")
    sent = shop.ask("POST", f"{OFFERS}/{draft['id']}/submission").json()
    waiting = market.clerk.get("/v1/admin/offers?state=submitted").json()["data"]
    assert waiting == [sent]
    published = market.decide(sent).json()
    assert published["state"] == "published"
    assert market.clerk.get(f"/v1/admin/offers/{draft['id']}").json() == published

    assert shown(client) == [draft["id"]]
    told = client.get(f"{CATALOGUE}/{draft['id']}").json()
    assert told["merchant"] == {
        "id": public_id("mer", shop.merchant),
        "name_zh": "商户1",
        "name_en": "Merchant 1",
    }
    assert (told["version"], told["left"], told["sold_out"]) == (1, 10, False)
    assert {
        name: told[name] for name in ("price_points", "price_fen", "per_person", "text_zh")
    } == {
        "price_points": 30,
        "price_fen": 500,
        "per_person": 2,
        "text_zh": "热",
    }

    gone = shop.ask("POST", f"{OFFERS}/{draft['id']}/withdrawal")
    assert gone.json()["state"] == "withdrawn"
    assert shown(client) == []
    missing = client.get(f"{CATALOGUE}/{draft['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "order.offer_unknown")
    acts = rows(market.city.db, "select act, actor from audit_entry order by number")
    owner = shop.shop.principal().name
    assert acts == [
        ("offers.add", owner),
        ("offers.submit", owner),
        ("offers.approve", market.clerk.who.name),
        ("offers.withdraw", owner),
    ]


def test_a_refusal_says_why_and_a_published_offer_is_taken_down(
    market: Market, shop: Console, client: TestClient
) -> None:
    sent = shop.submitted()
    refused = market.decide(sent, "refusal", reason="No such coffee").json()
    assert (refused["state"], refused["reason"]) == ("refused", "No such coffee")
    again = shop.ask("POST", f"{OFFERS}/{sent['id']}/submission")
    assert (again.status_code, again.json()["code"]) == (409, "offers.stuck")
    better = shop.change(sent["id"], title_en="A flat white").json()
    assert (better["state"], better["version"], better["reason"]) == ("draft", 2, None)
    sent = shop.ask("POST", f"{OFFERS}/{sent['id']}/submission").json()
    published = market.decide(sent).json()
    assert shown(client) == [sent["id"]]
    market.decide(published, "refusal", reason="Complaints")
    assert shown(client) == []
    note = rows(market.city.db, "select detail from audit_entry order by number desc limit 1")
    assert note == [({"version": 2, "reason": "Complaints"},)]


LISTEN = """
insert into webhook_endpoint (id, owner, url, types, scheme, secret, created_at)
values (%s, %s, 'https://hooks.example/', '{offer.approved,offer.refused}', 'v1', 'x', now())"""


def test_the_merchant_alone_is_told_of_each_decision(market: Market, shop: Console) -> None:
    other = market.console(2)

    def listen(session: Session) -> None:
        for each in (shop, other):
            driver(session).execute(LISTEN, (new_id(), merchant_owner(each.merchant)))

    market.city.db.transact(listen)
    offer = market.published(shop)
    market.decide(offer, "refusal", reason="Complaints")
    told = rows(market.city.db, "select owner, body::json from webhook_message order by told_at")
    assert {owner for owner, _ in told} == {merchant_owner(shop.merchant)}
    assert [(body["type"], body["data"]) for _, body in told] == [
        ("offer.approved", {"offer": offer["id"], "version": 1, "reason": None}),
        ("offer.refused", {"offer": offer["id"], "version": 1, "reason": "Complaints"}),
    ]


def test_a_decision_is_on_the_version_that_was_read(market: Market, shop: Console) -> None:
    read = shop.submitted()
    shop.change(read["id"], price_points=3_000)
    shop.ask("POST", f"{OFFERS}/{read['id']}/submission")
    for what, said in (("approval", {}), ("refusal", {"reason": "Too dear"})):
        late = market.decide(read, what, **said)
        assert (late.status_code, late.json()["code"]) == (409, "offers.changed")


def test_other_content_goes_to_the_desk_again_and_more_stock_does_not(
    market: Market, shop: Console, client: TestClient
) -> None:
    offer = market.published(shop)
    more = shop.change(offer["id"], stocked=25)
    assert more.status_code == 200, more.text
    assert (more.json()["state"], more.json()["version"]) == ("published", 1)
    assert client.get(f"{CATALOGUE}/{offer['id']}").json()["left"] == 25
    same = shop.change(offer["id"], price_points=30, title_zh="拿铁一杯", per_day=None)
    assert (same.json()["state"], same.json()["version"]) == ("published", 1)
    dearer = shop.change(offer["id"], price_points=31)
    assert (dearer.json()["state"], dearer.json()["version"]) == ("draft", 2)
    assert shown(client) == []


def test_a_change_is_made_to_what_was_read(market: Market, shop: Console) -> None:
    offer = shop.added()
    path = f"{OFFERS}/{offer['id']}"
    tag = shop.ask("GET", path).headers["etag"]
    unsaid = shop.ask("PATCH", path, {"stocked": 11})
    assert (unsaid.status_code, unsaid.json()["code"]) == (428, "offers.tag_missing")
    first = shop.ask("PATCH", path, {"stocked": 11}, **{"If-Match": tag})
    assert (first.status_code, first.json()["stocked"]) == (200, 11)
    assert first.headers["etag"] == shop.ask("GET", path).headers["etag"] != tag
    late = shop.ask("PATCH", path, {"stocked": 12}, **{"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "offers.tag_stale")
    weak = shop.ask("PATCH", path, {"stocked": 12}, **{"If-Match": f"W/{first.headers['etag']}"})
    assert weak.status_code == 412
    one_of = f'"1-draft-0", {first.headers["etag"]}'
    listed = shop.ask("PATCH", path, {"stocked": 13}, **{"If-Match": one_of})
    assert listed.status_code == 200
    anything = shop.ask("PATCH", path, {"stocked": 14}, **{"If-Match": "*"})
    assert anything.json()["stocked"] == 14
    assert rows(market.city.db, "select stocked from offer_stock") == [(14,)]


def test_stock_never_falls_below_what_is_taken(market: Market, shop: Console) -> None:
    offer = market.published(shop)
    take(market.city, 4)
    low = shop.change(offer["id"], stocked=3)
    assert (low.status_code, low.json()["code"]) == (409, "offers.stock_taken")
    assert "4" in low.json()["detail"]
    exact = shop.change(offer["id"], stocked=4).json()
    assert (exact["stocked"], exact["taken"]) == (4, 4)


def test_what_customers_take_ends_no_tag(market: Market, shop: Console) -> None:
    offer = market.published(shop)
    tag = shop.ask("GET", f"{OFFERS}/{offer['id']}").headers["etag"]
    take(market.city, 1)
    assert shop.ask("GET", f"{OFFERS}/{offer['id']}").headers["etag"] == tag


def take(city: City, taken: int) -> None:
    """Have somebody order so much of every offer, today."""
    street = Street(city.db, city.keys)
    (owner,) = street.people(1, y2028=1_000)
    for (offer,) in rows(city.db, "select id from offer"):
        street.order(owner, offer, taken)


def test_what_is_left_is_of_stock_and_of_today(
    market: Market, shop: Console, client: TestClient
) -> None:
    free = market.published(shop, stocked=6)["id"]
    daily = market.published(shop, stocked=6, per_day=4)["id"]
    take(market.city, 4)
    assert client.get(f"{CATALOGUE}/{free}").json()["left"] == 2
    told = client.get(f"{CATALOGUE}/{daily}").json()
    assert (told["left"], told["sold_out"]) == (0, True)
    listed = {each["id"]: each["sold_out"] for each in client.get(CATALOGUE).json()["data"]}
    assert listed == {free: False, daily: True}


def test_a_suspended_merchants_offers_and_console_stop_at_once(
    market: Market, shop: Console, client: TestClient
) -> None:
    offer = market.published(shop)["id"]
    market.city.db.transact(suspend_merchant, shop.merchant, at=now())
    assert shown(client) == []
    assert client.get(f"{CATALOGUE}/{offer}").status_code == 404
    for method, path, body in (
        ("GET", OFFERS, None),
        ("POST", OFFERS, wish()),
        ("POST", f"{OFFERS}/{offer}/withdrawal", None),
        ("POST", f"{OFFERS}/{offer}/images", picture()),
        ("GET", f"{OFFERS}.csv", None),
    ):
        refused = shop.ask(method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "merchants.suspended")
    market.city.db.transact(resume_merchant, shop.merchant)
    assert shown(client) == [offer]


def test_an_offer_is_shown_while_it_is_sold(
    market: Market, shop: Console, client: TestClient
) -> None:
    at = now()
    soon = {"sale_from": (at + DAY).isoformat(), "sale_to": (at + 2 * DAY).isoformat()}
    over = {"sale_from": (at - 2 * DAY).isoformat(), "sale_to": (at - DAY).isoformat()}
    offers = [market.published(shop, **each)["id"] for each in (soon, over)]
    assert shown(client) == []
    assert [client.get(f"{CATALOGUE}/{each}").status_code for each in offers] == [404, 404]


def test_only_a_public_cause_lists_donations(market: Market, shop: Console) -> None:
    gift = wish(kind="donation", category="charity")
    refused = shop.ask("POST", OFFERS, gift)
    assert (refused.status_code, refused.json()["code"]) == (409, "offers.donation_only")
    plain = shop.added()
    turned = shop.change(plain["id"], kind="donation")
    assert (turned.status_code, turned.json()["code"]) == (409, "offers.donation_only")
    cause = market.console(2, MerchantKind.PUBLIC_BENEFIT)
    assert market.published(cause, kind="donation", category="charity")["state"] == "published"
    for_fen = cause.ask("POST", OFFERS, wish(kind="donation", price_fen=100))
    assert for_fen.json()["code"] == "offers.donation_only"


def test_another_merchants_offer_is_as_if_it_were_nobodys(market: Market, shop: Console) -> None:
    other, theirs = market.console(2), shop.added()
    before = shop.ask("GET", f"{OFFERS}/{theirs['id']}").json()
    asks: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PATCH", "", {"stocked": 0}),
        ("POST", "/submission", None),
        ("POST", "/withdrawal", None),
        ("POST", "/images", picture()),
    ]
    for method, path, body in asks:
        answers = [
            other.ask(method, f"{OFFERS}/{id_}{path}", body, **{"If-Match": "*"})
            for id_ in (theirs["id"], f"off_{'0' * 26}", "nonsense")
        ]
        told = [(each.status_code, each.json()["code"]) for each in answers]
        assert told == [(404, "order.offer_unknown")] * 3, (method, path)
    assert other.ask("GET", OFFERS).json()["data"] == []
    assert theirs["id"] not in other.ask("GET", f"{OFFERS}.csv").text
    assert shop.ask("GET", f"{OFFERS}/{theirs['id']}").json() == before


@pytest.mark.parametrize(
    "fault",
    [
        {"title_zh": "  "},
        {"title_en": "two\nlines"},
        {"text_zh": "a\0b"},
        {"category": "cars"},
        {"kind": "service"},
        {"price_points": 0},
        {"price_points": "30"},
        {"price_fen": -1},
        {"per_person": 0},
        {"stocked": -1},
        {"voucher_days": 367},
        {"sale_from": 1_700_000_000},
        {"sale_from": "2026-12-01T00:00:00"},
        {"state": "published"},
        {"merchant": "mer_00000000000000000000000000"},
    ],
    ids="-".join,
)
def test_what_is_no_offer_is_refused_and_nothing_is_written(
    market: Market, shop: Console, fault: dict[str, object]
) -> None:
    refused = shop.ask("POST", OFFERS, wish(**fault))
    assert (refused.status_code, refused.json()["code"]) == (422, "request.malformed")
    assert next(iter(fault)) in refused.json()["errors"][0]["pointer"]
    assert rows(market.city.db, "select from offer") == []


def test_a_sale_ends_after_it_begins_and_a_change_says_something(shop: Console) -> None:
    backwards = wish(sale_to=wish()["sale_from"])
    assert shop.ask("POST", OFFERS, backwards).json()["code"] == "offers.window_invalid"
    offer = shop.added()["id"]
    for changed in (
        {"sale_to": "2020-01-02T00:00:00Z"},
        {"sale_from": "0001-01-01T00:00:00+14:00"},
        {"sale_to": "9999-12-31T23:59:59-12:00"},
    ):
        assert shop.change(offer, **changed).json()["code"] == "offers.window_invalid"
    assert shop.change(offer).json()["code"] == "request.malformed"
    assert shop.change(offer, title_zh=None).json()["code"] == "request.malformed"
    unlimited = shop.change(offer, per_person=None)
    assert unlimited.status_code == 200


def test_the_same_request_again_writes_no_second_offer(market: Market, shop: Console) -> None:
    body = wish()
    first, again = (shop.ask("POST", OFFERS, body, key="once") for _ in range(2))
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    other = shop.ask("POST", OFFERS, wish(stocked=99), key="once")
    assert other.json()["code"] == "idempotency.key_reused"
    assert rows(market.city.db, "select count(*) from offer") == [(1,)]


def test_a_merchant_has_a_bounded_number_of_offers(
    market: Market, shop: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.mall.offers.OFFERS_MAX", 2)
    for _ in range(2):
        shop.added()
    third = shop.ask("POST", OFFERS, wish())
    assert (third.status_code, third.json()["code"]) == (409, "offers.too_many")
    assert market.console(2).added()["state"] == "draft"


def test_a_clerk_without_the_scope_decides_nothing(
    market: Market, shop: Console, client: TestClient
) -> None:
    sent = shop.submitted()
    regulator = clerk(market.app, client, market.city, Role.REGULATOR, "r1")
    for path in ("approval", "refusal"):
        refused = regulator.post(f"/v1/admin/offers/{sent['id']}/{path}", {"version": 1})
        assert refused.status_code == 403
    own = shop.ask("POST", f"/v1/admin/offers/{sent['id']}/approval", {"version": 1})
    assert own.status_code == 403
    assert shown(client) == []
