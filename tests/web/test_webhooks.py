"""Endpoints over HTTP (回调地址接口): one's own, and nobody else's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import SCOPES, Role, Scope
from app.kernel.tokens import Principal
from app.main import create_app
from app.partners.registry import Partner, PartnerKey, add_partner, suspend_partner
from app.ticks import send_webhooks
from app.webhooks import News, NewsKind, merchant_owner, tell
from app.webhooks.rules import NEWS
from tests.support.acts import one, rows
from tests.support.clerks import known
from tests.support.desk import clerk
from tests.support.mall import Shop, merchant
from tests.support.organisations import organisation
from tests.support.receivers import Receiver, receiver

ENDPOINTS = "/v1/webhook-endpoints"


@dataclass
class Asker:
    """Somebody who manages endpoints."""

    client: TestClient
    headers: Mapping[str, str]

    def ask(self, method: str, path: str = "", body: Any = None) -> Response:  # noqa: ANN401 -- JSON
        said = {**self.headers, "Idempotency-Key": new_id().hex}
        return self.client.request(method, ENDPOINTS + path, json=body, headers=said)

    def added(self, url: str, *types: str, scheme: str = "v1") -> dict[str, Any]:
        body = {"url": url, "types": types or ["voucher.redeemed"], "scheme": scheme}
        answer = self.ask("POST", body=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def city(city: City) -> City:
    open_ = city.settings.model_copy(update={"webhooks_loopback": True})
    return replace(city, settings=open_)


def asker(app: FastAPI, client: TestClient, who: Principal) -> Asker:
    token = app.state.tokens.issue(who, at=now())
    return Asker(client, {"Authorization": f"Bearer {token}"})


@pytest.fixture
def shop(city: City) -> Shop:
    return merchant(city.db, city.keys, 1)


@pytest.fixture
def ann(app: FastAPI, client: TestClient, shop: Shop) -> Asker:
    return asker(app, client, shop.principal())


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def test_from_adding_to_deleting(ann: Asker, city: City, shop: Shop, there: Receiver) -> None:
    made = ann.added(there.url, "voucher.reversed", "voucher.redeemed", "voucher.redeemed")
    path = f"/{made['id']}"
    assert made["types"] == ["voucher.redeemed", "voucher.reversed"]
    assert made["public_keys"] == []
    secret = ann.ask("GET", f"{path}/secret").json()["secret"]
    pinged = ann.ask("POST", f"{path}/pings")
    assert pinged.status_code == 202
    send_webhooks(city, now())
    (got,) = there.received
    told = Webhook(secret).verify(got.body, got.headers)
    assert (told["type"], told["data"]) == ("webhook.ping", {"endpoint": made["id"]})
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body.replace(b"ping", b"pong"), got.headers)
    (delivery,) = ann.ask("GET", f"{path}/deliveries").json()["data"]
    assert delivery["message"] == pinged.json()["message"] == got.headers["webhook-id"]
    assert (delivery["state"], delivery["tries"], delivery["due_at"]) == ("delivered", 1, None)
    assert [each["status"] for each in delivery["latest"]] == [204]

    again = ann.ask("POST", f"{path}/replays", {"message": delivery["message"]})
    assert again.json() == {"messages": 1, "until": None}
    send_webhooks(city, now())
    assert len(there.received) == 2
    since = {"since": "2026-01-01T00:00:00Z"}
    assert ann.ask("POST", f"{path}/replays", since).json()["messages"] == 0
    changed = ann.ask("PATCH", path, {"is_on": False})
    assert changed.json()["off_for"] == "owner"
    assert ann.ask("POST", f"{path}/pings").json()["code"] == "webhooks.endpoint_off"
    assert ann.ask("PATCH", path, {"is_on": True}).json()["off_at"] is None
    assert ann.ask("GET").json()["data"] == [ann.ask("GET", path).json()]
    assert ann.ask("DELETE", path).status_code == 204
    assert ann.ask("GET", path).json()["code"] == "webhooks.endpoint_unknown"
    acts = rows(
        city.db, "select distinct act from audit_entry where actor = %s", shop.principal().name
    )
    assert {act for (act,) in acts} == {
        f"webhooks.{act}" for act in ("add", "read_secret", "replay", "change", "delete")
    }


def test_a_rotation_leaves_the_old_key_for_a_while(ann: Asker, there: Receiver, city: City) -> None:
    made = ann.added(there.url, scheme="v1a")
    (first,) = made["public_keys"]
    path = f"/{made['id']}"
    turned = ann.ask("POST", f"{path}/rotation", {"overlap_hours": 2}).json()
    assert len(turned["public_keys"]) == 2
    assert turned["public_keys"][1] == first
    assert turned["old_secret_until"] is not None
    ann.ask("POST", f"{path}/pings")
    send_webhooks(city, now())
    signatures = there.received[0].headers["webhook-signature"].split(" ")
    assert [each[:4] for each in signatures] == ["v1a,", "v1a,"]
    at_once = ann.ask("POST", f"{path}/rotation", {"overlap_hours": 0}).json()
    assert len(at_once["public_keys"]) == 1
    refused = ann.ask("GET", f"{path}/secret")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhooks.no_shared_secret")


def test_no_secret_lies_in_the_database(ann: Asker, city: City, there: Receiver) -> None:
    made = ann.added(there.url)
    secret = ann.ask("GET", f"/{made['id']}/secret").json()["secret"]
    ann.ask("POST", f"/{made['id']}/rotation", {})
    kept = rows(city.db, "select body from desk_answer")
    assert kept
    assert all(
        secret.encode() not in bytes(body) and b"whsec" not in bytes(body) for (body,) in kept
    )


def test_another_owners_endpoint_is_as_if_it_were_nobodys(
    app: FastAPI, client: TestClient, city: City, ann: Asker, there: Receiver
) -> None:
    made = ann.added(there.url)
    ann.ask("POST", f"/{made['id']}/pings")
    (message,) = one(city.db, "select id from webhook_message")
    before = rows(city.db, "select * from webhook_endpoint")
    other = merchant(city.db, city.keys, 2)
    bob = asker(app, client, other.principal())
    operator = clerk(app, client, city, Role.OPERATOR, "o1")
    assert bob.ask("GET").json() == {"data": []}
    for who in (bob, Asker(client, operator.headers)):
        for endpoint in (made["id"], public_id("whk", new_id()), "whk_1", "nonsense"):
            for method, path, body in (
                ("GET", "", None), ("PATCH", "", {"is_on": False}), ("DELETE", "", None),
                ("GET", "/secret", None), ("GET", "/deliveries", None), ("POST", "/rotation", {}),
                ("POST", "/pings", None), ("POST", "/replays", {"since": "2026-01-01T00:00:00Z"}),
            ):  # fmt: skip
                answer = who.ask(method, f"/{endpoint}{path}", body)
                assert (answer.status_code, answer.json()["code"]) == (
                    404,
                    "webhooks.endpoint_unknown",
                ), (method, path)
    own = bob.added(there.url)
    stolen = bob.ask("POST", f"/{own['id']}/replays", {"message": public_id("msg", message)})
    assert (stolen.status_code, stolen.json()["code"]) == (404, "webhooks.message_unknown")
    assert rows(city.db, "select * from webhook_endpoint where owner not like %s",
                merchant_owner(other.merchant.id)) == before  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "https://10.0.0.1/"}, "webhooks.url_refused"),
        ({"url": "https://shop.example/#x"}, "webhooks.url_refused"),
        ({"types": ["budget.low"]}, "webhooks.news_foreign"),
        ({"types": ["webhook.ping"]}, "webhooks.news_foreign"),
        ({"types": []}, "request.malformed"),
        ({"scheme": "v2"}, "request.malformed"),
        ({"owner": "operator"}, "request.malformed"),
    ],
    ids=["private", "fragment", "foreign", "ping", "none", "scheme", "owner"],
)
def test_what_is_not_taken(ann: Asker, body: dict[str, Any], code: str) -> None:
    said = {"url": "https://shop.example/", "types": ["voucher.redeemed"], **body}
    answer = ann.ask("POST", body=said)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    if code.startswith("webhooks"):
        made = ann.added("https://shop.example/")
        changed = ann.ask("PATCH", f"/{made['id']}", body)
        assert changed.json()["code"] == code


def test_ten_endpoints_and_no_more(ann: Asker) -> None:
    for _ in range(10):
        ann.added("https://shop.example/")
    body = {"url": "https://shop.example/", "types": ["voucher.redeemed"]}
    answer = ann.ask("POST", body=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "webhooks.endpoints_many")


def test_pings_and_replays_are_limited(ann: Asker) -> None:
    made = ann.added("https://shop.example/")
    codes = [ann.ask("POST", f"/{made['id']}/pings").status_code for _ in range(61)]
    assert codes == [202] * 60 + [429]


def test_a_keeper_may_not_and_who_is_suspended_may_no_more(
    app: FastAPI, client: TestClient, city: City, shop: Shop, ann: Asker
) -> None:
    keeper = asker(app, client, shop.principal(shop.keeper))
    assert keeper.ask("GET").json()["code"] == "auth.scope_missing"
    forged = Principal("merchant", shop.keeper.id, SCOPES[Role.MERCHANT_OWNER], 0)
    assert asker(app, client, forged).ask("GET").json()["code"] == "merchants.suspended"
    id_ = new_id()
    scopes = frozenset({Scope.WEBHOOKS_MANAGE})
    key = PartnerKey("k1", "EdDSA", b"\0" * 44, now())
    city.db.transact(add_partner, Partner(id_, "Bank", scopes, now()), key)
    machine = asker(app, client, Principal("partner", id_, scopes))
    assert machine.added("https://bank.example/", "points.expiring")["types"] == ["points.expiring"]
    city.db.transact(suspend_partner, id_, at=now())
    assert machine.ask("GET").json()["code"] == "auth.scope_missing"
    assert ann.ask("GET").status_code == 200


def test_each_kind_of_owner_may_ask_for_all_that_it_is_told(
    app: FastAPI, client: TestClient, city: City, shop: Shop
) -> None:
    """What is told to nobody who may ask for it is told to nobody at all."""
    firm = organisation(city.db, city.keys, 1)
    bank = Partner(new_id(), "Bank", frozenset({Scope.WEBHOOKS_MANAGE}), now())
    city.db.transact(add_partner, bank, PartnerKey("k1", "EdDSA", b"\0" * 44, now()))
    owners = {
        "merchant": shop.principal(),
        "organisation": firm.principal(firm.owner),
        "partner": Principal("partner", bank.id, bank.scopes),
        "operator": known(city.db, Role.OPERATOR),
    }
    assert owners.keys() == NEWS.keys()
    for kind, who in owners.items():
        there = asker(app, client, who).added("https://there.example/", *sorted(NEWS[kind]))
        assert there["types"] == sorted(NEWS[kind])
    assert frozenset.union(*NEWS.values()) == frozenset(NewsKind) - {NewsKind.PING}


def test_the_operators_own_and_what_it_is_told(
    app: FastAPI, client: TestClient, city: City, there: Receiver
) -> None:
    operator = Asker(client, clerk(app, client, city, Role.OPERATOR, "o1").headers)
    operator.added(there.url, "budget.low")
    news = News(new_id(), "operator", NewsKind.BUDGET_LOW, "green/1", {"programme": "green"}, now())
    city.db.transact(tell, [news])
    send_webhooks(city, now())
    assert there.messages == [public_id("msg", news.id)]


def test_without_the_setting_this_machine_is_out_of_reach(city: City, shop: Shop) -> None:
    closed = city.settings.model_copy(update={"webhooks_loopback": False})
    app = create_app(closed, replace(city, settings=closed))
    with TestClient(app) as client, receiver() as there:
        ann = asker(app, client, shop.principal())
        body = {"url": there.url, "types": ["voucher.redeemed"]}
        assert ann.ask("POST", body=body).json()["code"] == "webhooks.url_refused"
