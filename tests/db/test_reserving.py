"""Units of a gathering: reserved until a day, trued up, given back; never anybody else's."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier

import pytest

from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.neutrality.gathering_errors import GatheringUnknown, InventoryUnknown, PlanUnknown
from app.neutrality.gatherings import lock_gathering
from app.neutrality.inventory_rules import Stage
from app.neutrality.neutrality_errors import (
    DeadlinePassed,
    ReservableLacking,
    ReservationUnknown,
    ReservationUntilInvalid,
)
from app.neutrality.reserving import expire_reservations, release, reservations, reserved
from app.registry.errors import BatchUnknown
from app.webhooks import NewsKind, organisation_owner
from tests.support.acts import rows
from tests.support.gatherings import Marathon
from tests.support.market import Market
from tests.support.registry import Registry
from tests.support.webhooks import Post

DAY = timedelta(days=1)
CLIENTS = 32


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


@pytest.fixture
def race(market: Market) -> Marathon:
    return Marathon(market)


def test_reserved_units_leave_the_organisation_and_are_held(race: Marathon) -> None:
    assert race.has() == (2_000, 0, 0)
    made = race.reserve(600)
    assert race.has() == (1_400, 0, 600)
    legs = "select source = 21, target = 21, amount, code from transfer where cause = %s"
    moved = rows(race.db, legs, made.id)
    assert sorted(moved) == [(False, False, 600, 7), (False, True, 600, 19), (True, False, 600, 19)]


def test_a_reservation_given_back_is_the_organisations_again(race: Marathon) -> None:
    made = race.reserve(600)
    assert race.locked(release, made.id, new_id=new_id, at=race.at).left_kg == 0
    assert race.has() == (2_000, 0, 0)
    for other in (made.id, new_id(), None):
        with pytest.raises(ReservationUnknown):
            race.locked(release, other, new_id=new_id, at=race.at)


def test_a_reservation_ends_on_its_day(race: Marathon) -> None:
    today = day_of(race.at)
    ending = race.reserve(100, until=today)
    race.reserve(50, until=today + DAY)
    registry, whose = race.market.registry, organisation_owner(race.gathering.organisation)
    hooks = Post(registry.db, registry.worker_db, registry.keys)
    hooks.endpoint(whose, "https://a.example/", NewsKind.RESERVATION_ENDED)
    assert expire_reservations(race.db, new_id=new_id, at=race.at) == 0
    assert race.has() == (1_850, 0, 150)
    tomorrow = race.at + DAY
    assert [each.left_kg for each in race.db.read(reserved, race.gathering, today=today + DAY)] == [
        50
    ], "what is over is over, whatever the job has done"
    assert expire_reservations(race.db, new_id=new_id, at=tomorrow) == 1
    assert race.has() == (1_950, 0, 50)
    assert expire_reservations(race.db, new_id=new_id, at=tomorrow) == 0
    ((owner, body),) = rows(race.db, "select owner, body from webhook_message")
    facts = {"gathering": race.gathering.public, "reservation": ending.public, "quantity_kg": 100}
    assert (owner, json.loads(body)["data"]) == (whose, facts), "and is told once"
    listed = race.db.read(reservations, race.gathering, before=None, limit=10)
    assert [(each.quantity_kg, each.left_kg) for each in listed] == [(50, 50), (100, 0)]


def test_what_cannot_be_reserved(race: Marathon) -> None:
    for days in (-1, 400):
        with pytest.raises(ReservationUntilInvalid):
            race.reserve(1, until=day_of(race.at) + days * DAY)
    with pytest.raises(ReservableLacking):
        race.reserve(2_001)
    with pytest.raises(BatchUnknown):
        race.reserve(1, batch=new_id())
    assert race.has() == (2_000, 0, 0)


def test_a_gathering_without_a_plan_reserves_nothing(market: Market) -> None:
    race = Marathon(market, is_planned=False)
    with pytest.raises(PlanUnknown):
        race.reserve(1)


def test_the_same_units_are_reserved_once(market: Market) -> None:
    race = Marathon(market, units_kg=100)
    barrier = Barrier(CLIENTS)

    def client(_: int) -> bool:
        barrier.wait(timeout=30)
        try:
            race.reserve(10)
        except ReservableLacking:
            return False
        return True

    with ThreadPoolExecutor(CLIENTS) as pool:
        won = sum(pool.map(client, range(CLIENTS)))
    assert won == 10
    assert race.has() == (0, 0, 100)


def test_truing_up_adds_what_is_missing(race: Marathon) -> None:
    race.reserve(10)
    counted = race.counted()
    needed = -(-counted.total_mg // 1_000_000)
    made = race.true_up()
    assert (made.needed_kg, made.added_kg, made.released_kg) == (needed, needed - 10, 0)
    assert race.has() == (2_000 - needed, 0, needed)
    again = race.true_up()
    assert (again.added_kg, again.released_kg) == (0, 0)


def test_truing_up_gives_the_rest_back_what_ends_last_first(race: Marathon) -> None:
    today = day_of(race.at)
    race.reserve(400, until=today + 9 * DAY)
    race.reserve(900, until=today + 90 * DAY)
    needed = -(-race.counted().total_mg // 1_000_000)
    made = race.true_up()
    assert (made.needed_kg, made.released_kg) == (needed, 1_300 - needed)
    left = [each.left_kg for each in race.db.read(reserved, race.gathering, today=today)]
    assert left == [400, needed - 400]
    assert race.has() == (2_000 - needed, 0, needed)


def test_truing_up_again_follows_a_newer_inventory(race: Marathon) -> None:
    race.counted()
    first = race.true_up()
    race.counted()  # the same line again: twice as much
    assert race.true_up().added_kg == race.standing().needed_kg - first.needed_kg > 0


def test_truing_up_with_too_little_changes_nothing(market: Market) -> None:
    race = Marathon(market, units_kg=100)
    race.reserve(60)
    race.counted()
    with pytest.raises(ReservableLacking) as refused:
        race.true_up()
    assert refused.value.facts == {"lacking_kg": race.standing().needed_kg - 100}
    assert race.has() == (40, 0, 60)


def test_truing_up_needs_what_was_emitted_and_its_time(race: Marathon) -> None:
    race.counted(Stage.EXPECTED)
    with pytest.raises(InventoryUnknown):
        race.true_up()
    race.counted(kwh=Decimal("0.001"))
    assert race.true_up().needed_kg == 1, "a milligram takes a whole unit"
    with pytest.raises(DeadlinePassed):
        race.true_up(at=race.at + 366 * DAY)


def test_one_organisation_never_touches_anothers_gathering(market: Market) -> None:
    mine, others = Marathon(market), Marathon(market, number=42, units_kg=500)
    mine.reserve(100)
    others.reserve(200)
    assert (mine.has(), others.has()) == ((1_900, 0, 100), (300, 0, 200))
    with pytest.raises(GatheringUnknown):
        market.db.transact(
            lock_gathering, mine.gathering.id, organisation=others.gathering.organisation
        )
    (of_mine,) = market.db.read(reservations, mine.gathering, before=None, limit=1)
    with pytest.raises(ReservationUnknown):
        others.locked(release, of_mine.id, new_id=new_id, at=market.at)
