"""Recalls: free units are void in one order, buyers get others, used ones are replaced or owed."""

import threading
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from app.books import post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.secrets import Keys
from app.registry.batches import Batch, holdings_of
from app.registry.conservation_rules import UnitsOfBatch
from app.registry.errors import (
    BatchUnknown,
    RecallChanged,
    RecallEmpty,
    RecallTooMuch,
)
from app.registry.handing_over import UnitQuantity, legs
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import (
    PREFIX,
    ActsOfDays,
    ask_recall,
    find_recall,
    open_recall,
    recalled_by_days,
)
from app.registry.replacing import owed_kg
from app.registry.retirements import find_retirement
from app.registry.retiring import RetirementWish, request_retirement, revert_retirement
from app.registry.taking import take_retirements
from app.staff import Asking
from app.webhooks import NewsKind, organisation_owner
from ledger.accounts import bucket_of
from ledger.assets import asset_key
from ledger.certificate import Purpose
from ledger.registry import Invalidation, from_json
from tests.support.acts import one, rows
from tests.support.anchoring import rows_of
from tests.support.auditing import assert_books_hold
from tests.support.organisations import organisation
from tests.support.owners import BUS, accrual, asset_number, post_all
from tests.support.points import citizens, swap
from tests.support.recalls import (
    REASON,
    WHO,
    asked,
    carry_out,
    deficit,
    new_salt,
    opened,
    recall,
    told,
    units,
)
from tests.support.registry import KG, Registry
from tests.support.retirements import texts
from tests.support.tripwire import crossing
from tests.support.webhooks import Post

NOW = timedelta(0)
TOLD = """
select o.account from webhook_message m join organisation o on m.owner = 'organisation:' || o.id
 where m.type = 'recall.opened' order by 1"""


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    made = Registry(db, worker_db, keys, tmp_path)
    made.terms(buffer_permille=200)
    return made


@pytest.fixture
def batch(registry: Registry) -> Batch:
    """Ten units: eight with the operator, two in the buffer."""
    return more(registry)


def more(registry: Registry) -> Batch:
    """Ten units more of the same class, from somebody new."""
    (owner,) = citizens(registry.db, registry.keys, 1)
    registry.pool(owner, asset_number(registry.db, BUS), 10_000_000)
    return registry.issued(BUS)


def buyer(registry: Registry, batch: Batch, kg: int, number: int = 2) -> int:
    """Sell units to an organisation; gives its owner in the books."""
    owner = organisation(registry.db, registry.keys, number, at=registry.at).organisation.owner
    seller, today = registry.operator.owner, day_of(registry.at)
    units = UnitQuantity(batch.asset, kg)
    both = legs(units, source=seller, target=owner, cause=new_id(), today=today, new_id=new_id)
    registry.db.transact(lambda session: post(driver(session), both))
    return owner


def used(registry: Registry, batch: Batch, holder: int, kg: int) -> None:
    """Retire units for good."""
    wish = RetirementWish(
        new_id(), holder, batch.id, kg, Purpose.PUBLIC_BENEFIT, None, texts(""), cool_down=NOW
    )
    at = registry.tick()
    registry.db.transact(request_retirement, wish, new_id=new_id, new_salt=new_salt, at=at)
    assert take_retirements(registry.db, at=at) == 1


def held(registry: Registry, owner: int) -> int:
    return registry.db.read(
        lambda session: sum(each.available_kg for each in holdings_of(driver(session), owner))
    )


def test_what_nobody_bought_is_void_first(registry: Registry, batch: Batch) -> None:
    holder = buyer(registry, batch, 3)
    done = recall(registry, {batch.public: 6})
    assert told(registry, done) == [(6, 0, 6, 0, 0, 0)]
    assert units(registry.db, batch) == UnitsOfBatch(10, 3, 0, 1, 0, 0, 6)
    assert held(registry, holder) == 3
    first = "select holder = %s from recall_void order by id"
    assert rows(registry.db, first, registry.operator.owner) == [(True,), (False,)]


def test_buyers_get_other_units_as_far_as_the_buffer_reaches_and_the_rest_later(
    registry: Registry, batch: Batch
) -> None:
    holder = buyer(registry, batch, 8)
    more(registry)
    done = recall(registry, {batch.public: 7})
    assert told(registry, done) == [(7, 0, 7, 5, 2, 0)]
    assert held(registry, holder) == 8 - 5 + 2
    more(registry)
    carry_out(registry)
    more(registry)
    carry_out(registry)
    assert told(registry, done) == [(7, 0, 7, 5, 5, 0)]
    assert held(registry, holder) == 8
    legs_of = "select sum(case target when 21 then amount else -amount end) from transfer"
    assert one(registry.db, f"{legs_of} where code = 20") == (0,)


def test_used_units_are_replaced_by_retiring_others_and_owed_until_then(
    registry: Registry, batch: Batch
) -> None:
    holder = buyer(registry, batch, 8)
    used(registry, batch, holder, 8)
    done = recall(registry, {batch.public: 9})
    assert told(registry, done) == [(9, 7, 2, 0, 0, 0)]
    assert deficit(registry.db, batch) == 7
    for left in (5, 3, 1, 0):
        more(registry)
        carry_out(registry)
        assert deficit(registry.db, batch) == left
    replaced = one(registry.db, "select sum(quantity_kg) from retirement where purpose = 8")
    assert replaced == (7,)
    assert units(registry.db, batch) == UnitsOfBatch(10, 0, 0, 0, 0, 8, 2)


def wished(registry: Registry, batch: Batch, holder: int, kg: int) -> UUID:
    """Ask for a retirement, in its cool-down."""
    wish = RetirementWish(
        new_id(), holder, batch.id, kg, Purpose.PUBLIC_BENEFIT, None, texts(""), cool_down=NOW
    )
    at = registry.tick()
    registry.db.transact(request_retirement, wish, new_id=new_id, new_salt=new_salt, at=at)
    return wish.retirement


def owed(registry: Registry, holder: int, retirement: UUID) -> int:
    """How many of its units nothing has replaced."""
    return registry.db.read(
        lambda session: owed_kg(driver(session), find_retirement(session, holder, retirement))
    )


def test_held_units_are_void_when_they_are_given_back_and_used_when_they_are_retired(
    registry: Registry, batch: Batch
) -> None:
    holder = buyer(registry, batch, 8)
    kept, given_up = (wished(registry, batch, holder, kg) for kg in (3, 5))
    done = recall(registry, {batch.public: 9})
    assert told(registry, done) == [(9, 0, 2, 0, 0, 7)]
    assert deficit(registry.db, batch) == 0, "the buffer pays for nothing that may still be void"
    at = registry.tick()
    registry.db.transact(revert_retirement, holder, given_up, new_id=new_id, at=at)
    assert told(registry, done) == [(9, 0, 7, 5, 0, 2)]
    assert held(registry, holder) == 0
    assert take_retirements(registry.db, at=registry.tick()) == 1
    assert told(registry, done) == [(9, 2, 7, 5, 0, 0)]
    assert owed(registry, holder, kept) == deficit(registry.db, batch) == 2
    for left, back in ((2, 2), (2, 4), (1, 5)):
        more(registry)
        carry_out(registry)
        assert (deficit(registry.db, batch), held(registry, holder)) == (left, back)
    assert units(registry.db, batch) == UnitsOfBatch(10, 0, 0, 0, 0, 3, 7)
    assert_books_hold(registry.db.url)


def test_a_deficit_stays_on_the_units_that_were_used_when_it_was_found(
    registry: Registry, batch: Batch
) -> None:
    holder = buyer(registry, batch, 8)
    first = wished(registry, batch, holder, 3)
    take_retirements(registry.db, at=registry.tick())
    second = wished(registry, batch, holder, 4)
    recall(registry, {batch.public: 8})
    assert owed(registry, holder, first) == deficit(registry.db, batch) == 1
    with psycopg.connect(registry.db.url) as connection:
        # As a correction of the next day does.
        day = day_of(registry.at) + timedelta(1)
        facts = (bucket_of(holder), holder, new_id(), batch.id, 2_500_000, day)
        connection.execute("insert into issued_shortfall values (%s, %s, %s, %s, %s, %s)", facts)
    assert take_retirements(registry.db, at=registry.tick()) == 1
    assert owed(registry, holder, first) + owed(registry, holder, second) == 7
    assert deficit(registry.db, batch) == 7
    # One unit of the buffer is for the void one that was bought, one for the oldest mark.
    more(registry)
    carry_out(registry)
    assert (owed(registry, holder, first), owed(registry, holder, second)) == (2, 4)


def test_acts_of_some_days_name_the_batches_that_have_them(
    registry: Registry, batch: Batch
) -> None:
    second = more(registry)
    (day,) = one(registry.db, "select min(occurred_on) from lot_row")
    acts = ActsOfDays(asset_key(BUS), day, day)
    found = dict(registry.db.read(recalled_by_days, acts))
    assert found == {batch.public: 10, second.public: 10}
    stale = asked(registry, found, acts)
    third = more(registry)
    with pytest.raises(RecallChanged):
        registry.db.transact(open_recall, stale.payload, registry.signing())
    found[third.public] = 10
    pooled(registry, 2, day)
    pooled(registry, 3, day + timedelta(1))
    frozen = registry.frozen(BUS).id
    done = recall(registry, found, acts)
    assert registry.db.read(find_recall, done).acts == acts
    assert told(registry, done) == [(10, 0, 10, 0, 0, 0)] * 3
    # Whose acts they are is told, once; who has others in the pool is not.
    notices = rows(registry.db, "select account, subject, facts::text from notice order by 1")
    owners = rows(registry.db, "select distinct account from issued_row order by 1")
    name = public_id(PREFIX, done)
    assert notices == [(owner, name, f'{{"recall": "{name}"}}') for (owner,) in owners]
    # A lot that was frozen before has acts of that day, and is issued without them.
    registry.sampled(frozen)
    registry.confirmed(frozen)
    assert registry.issue(frozen).quantity_kg == 3
    # The next one finds nothing else, and has none.
    pooled(registry, 1, day)
    later = registry.frozen(BUS)
    assert later.leaves is None
    left_out = "select excluded, sum(mg)::int8 from lot_row where lot = %s group by 1"
    assert rows(registry.db, left_out, later.id) == [("recall.of_days", 3_000_000)]
    with pytest.raises(RecallEmpty):
        registry.db.read(recalled_by_days, acts)


def pooled(registry: Registry, kg: int, day: date) -> None:
    """Give somebody new an act of a day, and exchange it."""
    (owner,) = citizens(registry.db, registry.keys, 1)
    made = accrual(owner, asset_number(registry.db, BUS), kg * KG)
    post_all(registry.db, [made._replace(occurred_on=day)])
    swap(registry.db, owner)


def test_a_trade_under_way_hides_nothing_from_the_sweep(registry: Registry, batch: Batch) -> None:
    """Units on their way to somebody who had none are looked for again, once they are there."""
    seller = buyer(registry, batch, 8)
    other = organisation(registry.db, registry.keys, 3, at=registry.at).organisation.owner
    done = opened(registry, {batch.public: 10})
    sweeping = threading.Thread(target=carry_out, args=(registry,))

    def trade(session: Session) -> None:
        today, cause = day_of(registry.at), new_id()
        kg = UnitQuantity(batch.asset, 8)
        facts = {"source": seller, "target": other, "cause": cause, "today": today}
        post(driver(session), legs(kg, **facts, new_id=new_id))  # type: ignore[arg-type] -- each its own
        sweeping.start()
        waits = "select 1 from pg_locks where not granted"
        for _ in range(500):
            if rows(registry.db, waits):
                return
            time.sleep(0.01)
        raise AssertionError("nobody waits")

    registry.db.transact(trade)
    sweeping.join()
    assert told(registry, done) == [(10, 0, 10, 8, 0, 0)]
    assert held(registry, other) == held(registry, seller) == 0


def test_no_unit_is_recalled_twice(registry: Registry, batch: Batch) -> None:
    recall(registry, {batch.public: 6})
    asking = Asking(WHO, REASON, new_id(), registry.at)
    with pytest.raises(RecallTooMuch):
        registry.db.transact(ask_recall, asking, None, {batch.public: 5})
    with pytest.raises(BatchUnknown):
        registry.db.transact(ask_recall, asking, None, {public_id("ibt", new_id()): 1})
    assert recall(registry, {batch.public: 4})
    assert units(registry.db, batch) == UnitsOfBatch(10, 0, 0, 0, 0, 0, 10)


def test_the_chain_is_told_once_how_far_a_batch_still_goes(
    registry: Registry, batch: Batch
) -> None:
    recall(registry, {batch.public: 6})
    carry_out(registry)
    found = rows_of(registry.db, "select kind, payload from registry_message order by seq")
    said = [from_json(kind, payload) for kind, payload in found]
    void = [each for each in said if isinstance(each, Invalidation)]
    assert [(each.batch, each.end, each.amount_kg) for each in void] == [(batch.id, 10, 6)]


def test_whoever_held_or_used_them_is_told(registry: Registry, batch: Batch) -> None:
    holder, other = buyer(registry, batch, 4), buyer(registry, batch, 4, 3)
    post_box = Post(registry.db, registry.worker_db, registry.keys)
    for (id_,) in rows(registry.db, "select id from organisation"):
        post_box.endpoint(organisation_owner(id_), "https://a.example/", NewsKind.RECALL_OPENED)
    used(registry, batch, holder, 4)
    done = recall(registry, {batch.public: 8})
    owners = rows(registry.db, TOLD)
    assert [owner for (owner,) in owners] == sorted([holder, other])
    assert parse_public_id(PREFIX, public_id(PREFIX, done)) == done


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", [1, 2])
def test_a_recall_is_carried_out_once_through_a_crash(
    registry: Registry, batch: Batch, crash_at: int, *, landed: bool
) -> None:
    holder = buyer(registry, batch, 8)
    more(registry)
    asking = Asking(WHO, REASON, new_id(), registry.tick())
    asked = registry.db.transact(ask_recall, asking, None, {batch.public: 7})
    signing = registry.signing()
    registry.db.transact(open_recall, asked.payload, signing)

    def deed(database: Database) -> None:
        carry_out_recalls(database, new_id=new_id, at=registry.at)

    crossing(registry.db.url, crash_at, deed, landed=landed)
    assert crossing(registry.db.url, 0, deed, landed=False) >= 0
    assert told(registry, signing.approval) == [(7, 0, 7, 5, 2, 0)]
    assert held(registry, holder) == 5
    assert units(registry.db, batch).invalidated_kg == 7
