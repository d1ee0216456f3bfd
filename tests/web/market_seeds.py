"""What of the market is an organisation's (市场对象样例): a listing of a reseller's, a purchase."""

from datetime import timedelta
from typing import Final

from app.kernel.clock import now
from tests.support.market import TONNE, Market
from tests.support.organisations import organisation
from tests.support.registry import Registry
from tests.web.seeds import Ask, Held, World, held_as

PRICE_FEN: Final = 6_500


def own_listing(world: World) -> Held:
    market, a, b = trading(world)
    return held_as(a("POST", "/v1/listings", terms(market)), a, b)


def purchase(world: World) -> Held:
    market, a, b = trading(world)
    listing = b("POST", "/v1/listings", terms(market)).json()["id"]
    quoted = a("POST", "/v1/quotes", {"listing": listing, "quantity_kg": TONNE})
    return held_as(a("POST", "/v1/purchases", {"quote": quoted.json()["id"]}), a, b)


def terms(market: Market) -> dict[str, object]:
    """What is listed: a tonne, for a month."""
    closes = (now() + timedelta(days=30)).isoformat()
    batch, units = market.batch.public, {"quantity_kg": TONNE}
    return {"batch": batch, **units, "price_fen": PRICE_FEN, "closes_at": closes}


def trading(world: World) -> tuple[Market, Ask, Ask]:
    """Two organisations that hold a tonne each; an agent of each asks."""
    city = world.city
    folder = city.settings.tanpu_home / "registry"
    market = Market(Registry(city.db, city.worker_db, city.keys, folder))
    a, b = (trader(world, market, number) for number in (11, 12))
    return market, a, b


def trader(world: World, market: Market, number: int) -> Ask:
    """Ask as an agent of an organisation that holds a tonne."""
    office = organisation(world.city.db, world.city.keys, number)
    market.hand(office.organisation, TONNE)
    return world.of(office.person(world.app, world.client).headers)
