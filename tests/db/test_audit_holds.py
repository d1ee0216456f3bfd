"""Held units and recalls, audited (预留与撤回审计): no void unit stays with anybody.

Goal: a batch is recalled while purchases, a gathering and its retirement hold units of it; however
each hold ends, what comes free is void and owed to whoever bought it, and the audit finds nothing,
but whatever is changed behind the books. Method: one city, and the real commands.
"""

from pathlib import Path

import pytest

from app.audit.holds import check_holds
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.market import RetirementPlan
from app.market.purchases import cancel
from app.neutrality.reserving import release
from app.neutrality.retiring import take_back
from ledger.certificate import Purpose
from tests.support.acts import one, rows
from tests.support.auditing import assert_books_hold, checked, tampered
from tests.support.gatherings import Marathon
from tests.support.market import Market
from tests.support.recalls import carry_out, deficit, recall, told, units
from tests.support.registry import Registry

CHANGES = (
    "update purchase set quantity_kg = quantity_kg + 1 where outcome is null",
    "update purchase set outcome = 'expired', ended_at = now() where outcome is null",
    "update reservation set left_kg = left_kg - 1 where left_kg > 0",
    "delete from reservation where left_kg > 0",
    "update retirement set reverted_at = now() where taken_at is null",
    "update retirement set quantity_kg = quantity_kg - 1 where taken_at is null",
    "update balance set credits = credits + 1 where asset & 7 = 4 and account & 1 = 1",
    """update balance set credits = credits + 1
        where asset & 7 = 4 and account & 1 = 0 and credits = debits""",
    "update recall_void set quantity_kg = quantity_kg + 1",
    "update recall_void set holder = holder + 64",
    "delete from recall_void",
    "update recall_batch set void_kg = void_kg + 1000",
    """insert into recall_used (recall, batch, cursor_kg, quantity_kg, noted_at)
       select recall, batch, 1, 1, swept_at from recall_sweep""",
    "update transfer set amount = amount - 1 where code = 18",
)
OWED = """
select coalesce(sum(quantity_kg), 0)::int8 from recall_void where owed_to = %s and holder = %s"""


@pytest.fixture
def race(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Marathon:
    return Marathon(Market(Registry(db, worker_db, keys, tmp_path)))


def found(url: str) -> set[str]:
    """What the audit says of held units, by its kind."""
    return {each.kind for each in checked(url, check_holds).findings}


def test_no_void_unit_stays_with_anybody_however_a_hold_ends(race: Marathon) -> None:
    market, db, url = race.market, race.db, race.db.url
    seller, buyer = market.organisation(1), market.organisation(2)
    market.hand(seller, 100)
    listing = market.listed(100, seller)
    plan = RetirementPlan(Purpose.VOLUNTARY_OFFSET)
    let_go, paid = (market.bought(buyer, listing, kg) for kg in (40, 30))
    planned = market.bought(buyer, listing, 20, plan)
    race.counted()
    race.true_up()
    (asked,) = race.retire()
    reserved = race.reserve(200)
    promised = 40 + 30 + 20 + asked.quantity_kg + 200

    # Ten units of the batch stay good: the last ones that are given back.
    done = recall(market.registry, {market.batch.public: 5_000 - 10})
    assert told(market.registry, done)[0][5] == promised - 10
    assert found(url) == set()
    missed: list[str] = []
    for change in CHANGES:
        with tampered(url, change):
            if found(url) != {"units"}:
                missed.append(change)
    assert missed == []

    db.transact(cancel, buyer.id, let_go.id, new_id=new_id, at=market.at)
    assert (market.units(seller), one(db, OWED, seller.owner, seller.owner)) == (
        (0, 50),
        (10 + 40,),
    )
    market.paid(paid, "BANK-1")
    assert market.paid(planned, "BANK-2").unretired == "retirements.units_lacking"
    assert (market.units(seller), market.units(buyer)) == ((0, 0), (0, 0))
    assert one(db, OWED, buyer.owner, buyer.owner) == (50,)
    race.locked(release, reserved.id, new_id=new_id, at=race.at)
    assert race.has() == (0, 0, asked.quantity_kg)
    race.locked(take_back, asked.id, new_id=new_id, at=race.at)
    assert race.has() == (0, 0, 10), "what is good of it is reserved again"
    organiser = race.office.organisation.owner
    assert one(db, OWED, organiser, race.gathering.owner) == (asked.quantity_kg - 10,)
    carry_out(market.registry)
    assert told(market.registry, done)[0][:4] == (4_990, 0, 4_990, 4_990 - 2_900)
    left = units(db, market.batch)
    assert (left.available_kg, left.reserved_kg, left.invalidated_kg) == (0, 10, 4_990)
    assert deficit(db, market.batch) == 0
    assert rows(db, "select cursor_kg, end_kg from issue_batch") == [(0, 10)]
    assert_books_hold(url)
