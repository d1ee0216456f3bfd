"""Whose is it (对象级授权): what is another's answers as if it were nobody's, and stays as it is.

Every path with an id in it is either somebody's own, and then seeded here with a real object that
a second person tries, or it is listed as shared with why; a new path is neither and fails.
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.kernel.scopes import Scope
from app.kernel.settings import Settings
from app.kernel.tokens import Principal
from app.main import create_app
from tests.support.batches import Sender, Town, enrol, ride, sender
from tests.support.mall import Shop, TestTill, merchant, till
from tests.support.offers import Market, picture
from tests.support.wallets import acts_of, citizens, operator, tell
from tests.support.wallets import ride as told_ride
from tests.support.years import METRO, Street, days_ago
from tests.web.counter import Counter
from tests.web.entering import Person, Phones
from tests.web.neighbours import Neighbour, neighbour

Ask = Callable[..., Response]
"""Somebody's request: method, path, body."""
ZEROES: Final = "0" * 26
WISH: Final = {"purpose": "loan", "audience": "bank.example", "days": 30, "score_at_least": 200}
CORRECTION: Final = b'{"external_id":"ride-1","reason":"trip.refunded","withdrawn":true}\n'
RESET: Final = {"enrolment_sha256": "9f" * 32}
DISPUTE: Final = {"places": [0], "reason": "Not what we sold."}
PERSONAL: Final = ({Scope.ME}, {Scope.MERCHANT_MANAGE}, {Scope.SETTLEMENTS_READ})
LIVE: Final = "/v1/me/live"
"""A stream that stays open; its own tests read it."""


class Held(NamedTuple):
    """A real object of A's, and the two who ask for it."""

    id: str
    unknown: str
    a: Ask
    b: Ask


@dataclass(frozen=True, slots=True)
class World:
    """What seeds are made of."""

    app: FastAPI
    client: TestClient
    city: City

    @property
    def town(self) -> Town:
        return Town(self.city.db, self.city.keys, self.city.settings)

    def of(self, headers: Mapping[str, str]) -> Ask:
        """Ask with a token."""

        def ask(method: str, path: str, body: Any = None) -> Response:  # noqa: ANN401 -- JSON
            keyed = {**headers, "Idempotency-Key": new_id().hex}
            return self.client.request(method, path, json=body, headers=keyed)

        return ask

    def at(self, till: TestTill, who: Principal) -> Ask:
        """Ask with a till's signature, and as somebody of its merchant."""
        token = self.app.state.tokens.issue(who, at=now())

        def ask(method: str, path: str, body: Any = None) -> Response:  # noqa: ANN401 -- none
            assert body is None, path
            headers = till.sign(method, path) | {"authorization": f"Bearer {token}"}
            return self.client.request(method, path, headers=headers)

        return ask

    def signed(self, who: Sender) -> Ask:
        """Ask with a provider's signature."""

        def ask(method: str, path: str, body: Any = None) -> Response:  # noqa: ANN401 -- bytes
            data: bytes = body or b""
            headers = who.headers(method, path, body=data, key=new_id().hex)
            return self.client.request(method, path, content=data, headers=headers)

        return ask


def nobodys(id_: str) -> str:
    """Give an id of the same form, of nothing."""
    return f"{id_.partition('_')[0]}_{ZEROES}"


def held_as(made: Response, a: Ask, b: Ask) -> Held:
    assert made.status_code == 201, made.text
    id_ = made.json()["id"]
    return Held(id_, nobodys(id_), a, b)


def session(world: World) -> Held:
    phones = Phones()
    world.app.state.sms = phones.sms
    a, b = (
        Person(world.client, phones, f"+861380000000{n}", f"device-of-person-{n}").log_in()
        for n in (1, 2)
    )
    asks = [world.of({"authorization": f"Bearer {each['access_token']}"}) for each in (a, b)]
    return Held(a["session"], nobodys(a["session"]), *asks)


def activity(world: World) -> Held:
    metro = operator(world.city.db, "rides")
    two = citizens(world.city.db, world.city.keys, metro, "a", "b")
    rides = [told_ride(1, "a"), told_ride(2, "b")]
    tell(world.city.db, world.city.keys, metro, rides)
    asks = [world.of(each.headers(world.app)) for each in two]
    act = acts_of(world.city.db, two[0])[0]
    return Held(act, nobodys(act), *asks)


def appeal(world: World) -> Held:
    held = activity(world)
    body = {"activity": held.id, "contests": "too_low", "reason": "Twelve kilometres."}
    made = held.a("POST", "/v1/me/appeals", body)
    return held_as(made, held.a, held.b)


def statement(world: World) -> Held:
    a, b = two_neighbours(world)
    made = a("POST", "/v1/me/statements", WISH)
    return held_as(made, a, b)


def guardianship(world: World) -> Held:
    a, b = two_neighbours(world)
    ward, _ = two_neighbours(world)
    for who, years in ((a, 40), (ward, 10)):
        born = (day_of(now()) - timedelta(days=366 * years)).isoformat()
        assert who("PATCH", "/v1/me", {"birth_date": born}).status_code == 200
    code = ward("POST", "/v1/me/guardian-codes").json()["code"]
    made = a("POST", "/v1/me/wards", {"code": code})
    return held_as(made, a, b)


def consent(world: World) -> Held:
    sender(world.town, world.client, "consented")
    a, b = two_neighbours(world)
    wanted = {"scenes": ["tp-trip"], "whereabouts": True, "at_least_14": True}
    assert a("PUT", "/v1/me/consents/consented", wanted).status_code == 200
    return Held("consented", "nobody", a, b)


def two_neighbours(world: World) -> list[Ask]:
    street = Street(world.city.db, world.city.keys, 2)
    asks: list[Ask] = []
    for each in street.people:
        street.did(each, METRO, days_ago(*range(40)), 2_345_678)
        who: Neighbour = neighbour(world.app, world.client, each)
        asks.append(world.of({"authorization": f"Bearer {who.token}"}))
    return asks


def batch(world: World) -> Held:
    a, b = two_providers(world)
    enrol(world.town, a.provider, ["CARD-1"])
    sent = world.signed(a)("POST", "/v1/activity-batches?methodology=SZ-METRO", ride(1))
    return held_as(sent, world.signed(a), world.signed(b))


def provider_key(world: World) -> Held:
    a, b = two_providers(world)
    return Held(a.keyid, "nobody-1", world.signed(a), world.signed(b))


def merchant_user(world: World) -> Held:
    a, b = (merchant(world.city.db, world.city.keys, number) for number in (1, 2))
    return Held(a.keeper.public, nobodys(a.keeper.public), *owners_of(world, a, b))


def merchant_till(world: World) -> Held:
    a, b = (merchant(world.city.db, world.city.keys, number) for number in (1, 2))
    made = till(world.city.db, a).till.public
    return Held(made, nobodys(made), *owners_of(world, a, b))


def offer(world: World) -> Held:
    return held_offer(world, "added")


def waiting_offer(world: World) -> Held:
    return held_offer(world, "submitted")


def held_offer(world: World, made: str) -> Held:
    market = Market(world.app, world.client, world.city)
    a, b = (market.console(number) for number in (1, 2))
    id_ = getattr(a, made)()["id"]
    return Held(id_, nobodys(id_), *(partial(each.ask, **{"If-Match": "*"}) for each in (a, b)))


def order(world: World, what: str = "id") -> Held:
    counter, a, b = shopping(world)
    id_ = counter.order(a)[what]
    return Held(id_, nobodys(id_), *(world.of(bearer(each.token)) for each in (a, b)))


def voucher(world: World) -> Held:
    return order(world, "voucher")


def redemption(world: World) -> Held:
    counter, a, _ = shopping(world)
    id_ = counter.redeem(counter.shown(a, counter.order(a))["qr"]).json()["id"]
    other = merchant(world.city.db, world.city.keys, 2)
    tills = (counter.till, till(world.city.db, other))
    owners = (each.principal() for each in (counter.shop, other))
    asks = [world.at(*both) for both in zip(tills, owners, strict=True)]
    return Held(id_, nobodys(id_), *asks)


def settlement(world: World) -> Held:
    counter, a, _ = shopping(world)
    assert counter.redeem(counter.shown(a, counter.order(a))["qr"]).status_code == 201
    id_ = counter.settled()
    owners = owners_of(world, counter.shop, merchant(world.city.db, world.city.keys, 2))
    return Held(id_, nobodys(id_), *owners)


def settled(world: World) -> Held:
    """A redemption in a statement, by both their ids."""
    held = settlement(world)
    (line,) = held.a("GET", f"/v1/merchant/settlements/{held.id}").json()["lines"]
    mine, unknown = (f"{each}/redemptions/{line['id']}" for each in (held.id, held.unknown))
    return held._replace(id=mine, unknown=unknown)


def shopping(world: World) -> tuple[Counter, Neighbour, Neighbour]:
    counter = Counter(world.app, world.client, world.city)
    return counter, counter.person(y2099=500), counter.person(y2099=500)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def owners_of(world: World, *shops: Shop) -> list[Ask]:
    tokens = world.app.state.tokens
    return [
        world.of({"authorization": f"Bearer {tokens.issue(each.principal(), at=now())}"})
        for each in shops
    ]


def two_providers(world: World) -> tuple[Sender, Sender]:
    first, second = (sender(world.town, world.client, code) for code in ("one", "two"))
    return first, second


class Try(NamedTuple):
    """A path with somebody's object in it."""

    seed: Callable[[World], Held]
    works: int
    """What its owner is answered."""
    body: Any = None


OWN: Final[Mapping[str, Try]] = {
    "DELETE /v1/auth/sessions/{session_id}": Try(session, 204),
    "GET /v1/me/activities/{activity_id}": Try(activity, 200),
    "GET /v1/me/consents/{provider}": Try(consent, 200),
    "DELETE /v1/me/guardianships/{guardianship}": Try(guardianship, 204),
    "DELETE /v1/me/statements/{statement_id}": Try(statement, 204),
    "GET /v1/me/statements/{statement_id}/checks": Try(statement, 200),
    "GET /v1/activity-batches/{batch_id}": Try(batch, 200),
    "POST /v1/activity-batches/{batch_id}/corrections": Try(batch, 201, CORRECTION),
    "GET /v1/activity-batches/{batch_id}/inclusion": Try(batch, 200),
    "DELETE /v1/provider/keys/{key_id}": Try(provider_key, 409),
    "POST /v1/merchant/users/{user_id}/suspension": Try(merchant_user, 200),
    "POST /v1/merchant/users/{user_id}/reset": Try(merchant_user, 200, RESET),
    "DELETE /v1/merchant/tills/{till_id}": Try(merchant_till, 200),
    "GET /v1/merchant/offers/{offer_id}": Try(offer, 200),
    "PATCH /v1/merchant/offers/{offer_id}": Try(offer, 200, {"stocked": 1}),
    "POST /v1/merchant/offers/{offer_id}/submission": Try(offer, 200),
    "POST /v1/merchant/offers/{offer_id}/withdrawal": Try(waiting_offer, 200),
    "POST /v1/merchant/offers/{offer_id}/images": Try(offer, 201, picture()),
    "GET /v1/orders/{order_id}": Try(order, 200),
    "POST /v1/orders/{order_id}/cancel": Try(order, 200),
    "POST /v1/orders/{order_id}/offline": Try(order, 201),
    "GET /v1/vouchers/{voucher_id}": Try(voucher, 200),
    "GET /v1/merchant/settlements/{settlement_id}": Try(settlement, 200),
    "GET /v1/merchant/settlements/{settlement_id}.csv": Try(settlement, 200),
    "GET /v1/merchant/settlements/{settlement_id}.pdf": Try(settlement, 200),
    "GET /v1/merchant/settlements/{settlement_id}/redemptions/{redemption_id}/proof": Try(
        settled, 200
    ),
    "POST /v1/merchant/settlements/{settlement_id}/disputes": Try(settlement, 201, DISPUTE),
    "GET /v1/merchant/redemptions/{redemption_id}": Try(redemption, 200),
    "POST /v1/merchant/redemptions/{redemption_id}/reverse": Try(redemption, 201),
    "POST /v1/merchant/redemptions/{redemption_id}/reversal-confirmation": Try(redemption, 202),
}
"""A provider's only key is not ended: that refusal tells its owner that it is there."""
SHARED: Final[Mapping[str, str]] = {
    "/v1/me/consents/{provider}": "providers are public; what is put or taken is one's own",
    "/v1/me/challenges/{challenge_id}": "challenges are the city's; who takes part is one's own",
    "/v1/leaderboards/{board_id}": "boards are everybody's; who is named asked for it",
    "/v1/erasures/{token}": "whoever holds the token may read the receipt",
    "/v1/merchant/shifts/{shift_id}": "a till ends its own alone; see tests/web/test_tills.py",
    "/v1/admin/": "the desk is one: each scope sees all of its kind",
    "/v1/methodolog": "proposals, reviews and methodologies are the desk's and the public's",
    "/v1/shadow-runs/{run_id}": "runs belong to a proposal, which the desk reads",
    "/v1/public/": "published",
    "/v1/offers/{offer_id}": "on sale to everybody",
    "/v1/growth-documents/{version}": "published",
    "/v1/score-documents/{version}": "published",
}
LISTED: Final[Mapping[str, Callable[[World], Held]]] = {
    "session": session,
    "activity": activity,
    "appeal": appeal,
    "statement": statement,
    "guardianship": guardianship,
    "batch": batch,
    "key": provider_key,
    "merchant user": merchant_user,
    "till": merchant_till,
    "offer": offer,
    "order": order,
    "voucher": voucher,
    "settlement": settlement,
}


@pytest.fixture
def world(app: FastAPI, client: TestClient, city: City) -> World:
    return World(app, client, city)


def operations() -> list[tuple[str, str, list[Mapping[str, list[str]]]]]:
    """Give method, path and what is asked of the caller, for every operation."""
    return [
        (method.upper(), path, told.get("security", []))
        for path, methods in create_app(Settings()).openapi()["paths"].items()
        for method, told in methods.items()
    ]


def test_every_path_with_an_id_is_somebodys_or_says_why_not() -> None:
    found = {f"{method} {path}" for method, path, _ in operations() if "{" in path}
    assert set(OWN) <= found
    untold = {
        each for each in found - set(OWN) if not each.partition(" ")[2].startswith(tuple(SHARED))
    }
    assert not untold
    paths = [each.partition(" ")[2] for each in found - set(OWN)]
    assert all(any(path.startswith(each) for path in paths) for each in SHARED), "one is gone"


@pytest.mark.parametrize("label", OWN)
def test_what_is_anothers_looks_like_nothing_and_stays(world: World, label: str) -> None:
    tried = OWN[label]
    held = tried.seed(world)
    method, _, template = label.partition(" ")

    def told(ask: Ask, id_: str) -> Response:
        start, _, rest = template.partition("{")
        return ask(method, start + id_ + rest.rpartition("}")[2], tried.body)

    lists = mine(held.a)
    foreign, none = told(held.b, held.id), told(held.b, held.unknown)
    assert foreign.status_code == none.status_code == 404, foreign.text
    assert shape(foreign, held.id) == shape(none, held.unknown)
    assert mine(held.a) == lists
    assert told(held.a, held.id).status_code == tried.works, "it was there all the while"


@pytest.mark.parametrize("kind", LISTED)
def test_no_list_of_bs_holds_what_is_as(world: World, kind: str) -> None:
    held = LISTED[kind](world)
    is_in = [path for path, text in mine(held.a).items() if held.id in text]
    assert is_in, "A's own lists show it"
    assert not [path for path, text in mine(held.b).items() if held.id in text]


def shape(answer: Response, id_: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Give what an answer says, but for the names of request and object."""
    body: dict[str, Any] = {**answer.json(), "instance": "", "request_id": ""}
    varying = {"x-request-id", "content-length", "date"}
    headers = {name: text for name, text in answer.headers.items() if name not in varying}
    return {name: str(each).replace(id_, "ID") for name, each in body.items()}, headers


def mine(ask: Ask) -> dict[str, str]:
    """Read every list and page that is one's own, as text."""
    found: dict[str, str] = {}
    for method, path, asked in operations():
        scopes = {scope for each in asked for listed in each.values() for scope in listed}
        personal = scopes in PERSONAL or any("providerSignature" in each for each in asked)
        if method == "GET" and personal and "{" not in path and path != LIVE:
            answer = ask(method, path)
            if answer.status_code == 200:
                found[path] = text_of(answer)
    assert found
    return found


def text_of(answer: Response) -> str:
    if answer.headers["content-type"] != "application/zip":
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        return "".join(file.read(name).decode() for name in sorted(file.namelist()))
