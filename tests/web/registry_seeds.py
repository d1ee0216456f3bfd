"""What of the registry is a citizen's (登记簿对象样例): an act of theirs in a lot."""

from app.kernel.ids import public_id
from ledger.assets import Reduction
from tests.support.acts import people, rows, send
from tests.support.points import swap
from tests.support.registry import Registry, grade_a
from tests.support.wallets import operator, ride, somebody
from tests.web.seeds import ZEROES, Held, World

RIDE = grade_a()


def gram(world: World) -> Held:
    """An act of A's in a frozen lot, where B has one too."""
    city, folder = world.city, world.city.settings.tanpu_home / "registry"
    registry = Registry(city.db, city.worker_db, city.keys, folder)
    registry.terms()
    metro = operator(city.db, "metro-of-a")
    people(city.db, city.keys, metro, ["a", "b"], choice=RIDE)
    send(city.db, city.keys, metro, [ride(1, "a"), ride(2, "b")], RIDE)
    a, b = (somebody(city.db, city.keys, metro, card) for card in "ab")
    for each in (a, b):
        swap(city.db, each.owner)
    (facts,) = rows(
        city.db, "select methodology, version, scenario, grade, vintage from asset where id & 7 = 1"
    )
    lot = registry.frozen(Reduction(*facts)).public
    ((act,),) = rows(city.db, "select activity from lot_row where account = %s", a.owner)
    id_, unknown = (f"{lot}/{each}" for each in (public_id("act", act), f"act_{ZEROES}"))
    return Held(id_, unknown, world.of(a.headers(world.app)), world.of(b.headers(world.app)))
