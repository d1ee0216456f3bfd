"""Objects that are somebody's (对象样例): A's, made as the product makes them, and a stranger B."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.db import driver
from app.kernel.ids import new_id, public_id
from app.kernel.tokens import Principal
from app.notices import Notice, NoticeKind, notify
from tests.support.batches import Sender, Town, enrol, ride, sender
from tests.support.cancelling import Registrar
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


def offer_picture(world: World) -> Held:
    held = offer(world)
    (name,) = held.a("POST", f"/v1/merchant/offers/{held.id}/images", picture()).json()["images"]
    return held._replace(id=f"{held.id}/images/{name}", unknown=f"{held.unknown}/images/{name}")


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


def endpoint(world: World) -> Held:
    shops = [merchant(world.city.db, world.city.keys, number) for number in (1, 2)]
    a, b = owners_of(world, *shops)
    body = {"url": "https://shop.example/", "types": ["voucher.redeemed"], "scheme": "v1"}
    id_ = a("POST", "/v1/webhook-endpoints", body).json()["id"]
    return Held(id_, nobodys(id_), a, b)


def notice(world: World) -> Held:
    counter, a, b = shopping(world)
    facts = {"points": 30, "order": counter.order(a)["id"]}
    place = (a.citizen.bucket, a.citizen.number, new_id())
    made = Notice(*place, NoticeKind.ORDER_EXPIRED, "1", facts, now())
    world.city.db.transact(lambda session: notify(driver(session), [made]))
    id_ = public_id("ntc", made.id)
    return Held(id_, nobodys(id_), *(world.of(bearer(each.token)) for each in (a, b)))


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


def cancellation(world: World) -> Held:
    held = activity(world)
    body = {"co2e_mg": 1_000, "beneficiary": {"words": "Somebody", "is_public": True}}
    return held_as(held.a("POST", "/v1/cancellations", body), held.a, held.b)


def certificate(world: World) -> Held:
    held, city = cancellation(world), world.city
    folder = city.settings.public_path.parent
    registrar = Registrar(city.db, city.worker_db, city.keys, folder)
    assert registrar.post() == 1
    registrar.close()
    assert registrar.issue() == 1
    id_ = f"cert_{held.id.partition('_')[2]}"
    return Held(id_, nobodys(id_), held.a, held.b)


def shown_name(world: World) -> Held:
    """A name that a certificate shows."""
    held = certificate(world)
    return held._replace(id=f"{held.id}/beneficiary", unknown=f"{held.unknown}/beneficiary")
