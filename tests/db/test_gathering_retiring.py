"""A gathering retires what it emitted: in time, from its own, and enough of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.neutrality.gathering_errors import InventoryUnknown
from app.neutrality.neutrality_errors import DeadlinePassed, NothingToRetire, UnitsNotReserved
from app.neutrality.retiring import take_back
from app.neutrality.standing import retirements
from app.registry.retirement_errors import RetirementEnded, RetirementUnknown
from ledger.certificate import Purpose
from tests.support.acts import one
from tests.support.gatherings import Marathon
from tests.support.market import Market
from tests.support.registry import Registry

NEEDED_KG = 574
"""1,000 kWh of Shanghai's grid, 573.7 kg, in whole units."""


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


@pytest.fixture
def race(market: Market) -> Marathon:
    return Marathon(market)


def test_what_was_emitted_is_retired_in_whole_units(race: Marathon) -> None:
    race.reserve(1_000)
    race.counted()
    race.true_up()
    (asked,) = race.retire()
    assert (asked.holder, asked.quantity_kg) == (race.gathering.owner, NEEDED_KG)
    assert asked.purpose is Purpose.GATHERING
    standing = race.standing()
    assert (standing.asked_kg, standing.retired_kg, standing.needed_kg) == (NEEDED_KG, 0, 0)
    with pytest.raises(NothingToRetire):
        race.retire()
    assert race.taken() == 1
    standing = race.standing()
    assert (standing.asked_kg, standing.retired_kg, standing.lacking_mg) == (0, NEEDED_KG, 0)
    assert race.has() == (2_000 - NEEDED_KG, 0, 0)
    (serial,) = [each.serial for each in race.db.read(retirements, race.gathering)]
    assert serial is not None
    assert serial.split("-")[4:6] == ["0000000001", "0000000574"]
    query = "select words, is_public from claim_opening where subject = %s and name = 'message'"
    said = f"{race.gathering.public}; inventory 1 {standing.inventory.digest.hex()}"
    assert one(race.db, query, asked.id) == (said, True), "it names its gathering to everybody"


def test_what_is_not_reserved_is_not_retired(race: Marathon) -> None:
    race.reserve(NEEDED_KG - 1)
    with pytest.raises(InventoryUnknown):
        race.retire()
    race.counted()
    with pytest.raises(UnitsNotReserved) as refused:
        race.retire()
    assert refused.value.facts == {"lacking_kg": 1}
    assert race.has() == (2_000 - NEEDED_KG + 1, 0, NEEDED_KG - 1)


def test_the_deadline_is_the_last_day(race: Marathon) -> None:
    race.planned(deadline=day_of(race.at))
    race.counted()
    race.true_up()
    with pytest.raises(DeadlinePassed):
        race.retire(at=race.at + timedelta(days=1))
    assert len(race.retire()) == 1


def test_until_it_has_serials_a_retirement_is_taken_back_into_the_reserve(race: Marathon) -> None:
    race.counted()
    race.true_up()
    (asked,) = race.retire()
    for foreign in (new_id(), None):
        with pytest.raises(RetirementUnknown):
            race.locked(take_back, foreign, new_id=new_id, at=race.at)
    race.locked(take_back, asked.id, new_id=new_id, at=race.at)
    assert race.has() == (2_000 - NEEDED_KG, 0, NEEDED_KG)
    assert race.true_up().released_kg == 0, "it is reserved as before"
    (again,) = race.retire()
    race.taken()
    with pytest.raises(RetirementEnded):
        race.locked(take_back, again.id, new_id=new_id, at=race.at)


def test_a_newer_inventory_retires_the_difference(race: Marathon) -> None:
    race.retired()
    race.retired()
    assert [each.quantity_kg for each in race.db.read(retirements, race.gathering)] == [
        NEEDED_KG,
        2 * 573_700_000 // 1_000_000 + 1 - NEEDED_KG,
    ]
    assert race.standing().lacking_mg == 0


def test_two_organisers_retire_each_their_own(market: Market) -> None:
    mine, others = Marathon(market), Marathon(market, number=42)
    (of_mine,), (of_others,) = mine.retired(), others.retired()
    assert of_mine.holder != of_others.holder
    with pytest.raises(RetirementUnknown):
        others.locked(take_back, of_mine.id, new_id=new_id, at=market.at)
    serials = [race.db.read(retirements, race.gathering)[0].range for race in (mine, others)]
    assert sorted((each.lower, each.upper) for each in serials if each) == [(1, 575), (575, 1149)]
