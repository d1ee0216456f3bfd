"""Recalls: free units are void in one order, buyers get others, used ones are replaced or owed."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from app.books import post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.registry.batches import Batch, holdings_of
from app.registry.conservation import units_of_batches
from app.registry.conservation_rules import UnitsOfBatch, gap_kg
from app.registry.errors import BatchUnknown, RecallEmpty, RecallTooMuch
from app.registry.handing_over import Units, legs
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import (
    PREFIX,
    ActsOfDays,
    RecalledBatch,
    ask_recall,
    find_recall,
    open_recall,
    recalled_batches,
    recalled_by_days,
)
from app.registry.replacing import replace_all, standing_of
from app.registry.retiring import RetirementWish, request_retirement
from app.registry.taking import take_retirements
from app.staff import Asking
from app.webhooks import NewsKind, organisation_owner
from ledger.assets import asset_key
from ledger.certificate import Purpose
from ledger.registry import Invalidation, from_json
from tests.support.acts import one, rows
from tests.support.anchoring import rows_of
from tests.support.organisations import organisation
from tests.support.owners import BUS, asset_number
from tests.support.points import citizens
from tests.support.registry import Registry
from tests.support.retirements import texts
from tests.support.tripwire import crossing
from tests.support.webhooks import Post

WHO = Principal("clerk", new_id(), SCOPES[Role.REGULATOR])
NOW = timedelta(0)
REASON = "The meter was broken."
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
    units = Units(batch.asset, kg)
    both = legs(units, source=seller, target=owner, cause=new_id(), today=today, new_id=new_id)
    registry.db.transact(lambda session: post(driver(session), both))
    return owner


def used(registry: Registry, batch: Batch, holder: int, kg: int) -> None:
    """Retire units for good."""
    wish = RetirementWish(
        new_id(), holder, batch.id, kg, Purpose.PUBLIC_BENEFIT, None, texts(""), cool_down=NOW
    )
    salt = lambda: secrets.token_bytes(32)  # noqa: E731 -- where it is used
    at = registry.tick()
    registry.db.transact(request_retirement, wish, new_id=new_id, new_salt=salt, at=at)
    assert take_retirements(registry.db, at=at) == 1


def recall(registry: Registry, batches: dict[str, int], acts: ActsOfDays | None = None) -> UUID:
    """Have two sign, and the job look."""
    asking = Asking(WHO, REASON, new_id(), registry.tick())
    asked = registry.db.transact(ask_recall, asking, acts, batches)
    signing = registry.signing()
    registry.db.transact(open_recall, asked.payload, signing)
    carry_out(registry)
    return signing.approval


def carry_out(registry: Registry) -> None:
    at = registry.tick()
    carry_out_recalls(registry.db, new_id=new_id, at=at)
    replace_all(registry.db, new_id=new_id, new_salt=lambda: secrets.token_bytes(32), at=at)
    carry_out_recalls(registry.db, new_id=new_id, at=at)


def told(registry: Registry, recall: UUID) -> Sequence[tuple[int, int | None, int, int, int]]:
    """What became of it: void, used, invalidated, owed, given."""
    found: Sequence[RecalledBatch] = registry.db.read(recalled_batches, recall)
    return [tuple(each[1:]) for each in found]  # type: ignore[misc] -- the rest of the columns


def units(registry: Registry, batch: Batch) -> UnitsOfBatch:
    found = registry.db.read(lambda session: units_of_batches(driver(session)))
    assert all(gap_kg(each) == 0 for each in found.values())
    return found[batch.public]


def deficit(registry: Registry, batch: Batch) -> int:
    return registry.db.read(lambda session: standing_of(driver(session), batch.id).deficit_kg)


def held(registry: Registry, owner: int) -> int:
    return registry.db.read(
        lambda session: sum(each.available_kg for each in holdings_of(driver(session), owner))
    )


def test_what_nobody_bought_is_void_first(registry: Registry, batch: Batch) -> None:
    holder = buyer(registry, batch, 3)
    done = recall(registry, {batch.public: 6})
    assert told(registry, done) == [(6, 0, 6, 0, 0)]
    assert units(registry, batch) == UnitsOfBatch(10, 3, 0, 1, 0, 0, 6)
    assert held(registry, holder) == 3
    first = "select holder = %s from recall_void order by id"
    assert rows(registry.db, first, registry.operator.owner) == [(True,), (False,)]


def test_buyers_get_other_units_as_far_as_the_buffer_reaches_and_the_rest_later(
    registry: Registry, batch: Batch
) -> None:
    holder = buyer(registry, batch, 8)
    more(registry)
    done = recall(registry, {batch.public: 7})
    assert told(registry, done) == [(7, 0, 7, 5, 2)]
    assert held(registry, holder) == 8 - 5 + 2
    more(registry)
    carry_out(registry)
    more(registry)
    carry_out(registry)
    assert told(registry, done) == [(7, 0, 7, 5, 5)]
    assert held(registry, holder) == 8
    legs_of = "select sum(case target when 21 then amount else -amount end) from transfer"
    assert one(registry.db, f"{legs_of} where code = 20") == (0,)


def test_used_units_are_replaced_by_retiring_others_and_owed_until_then(
    registry: Registry, batch: Batch
) -> None:
    holder = buyer(registry, batch, 8)
    used(registry, batch, holder, 8)
    done = recall(registry, {batch.public: 9})
    assert told(registry, done) == [(9, 7, 2, 0, 0)]
    assert deficit(registry, batch) == 7
    for left in (5, 3, 1, 0):
        more(registry)
        carry_out(registry)
        assert deficit(registry, batch) == left
    replaced = one(registry.db, "select sum(quantity_kg) from retirement where purpose = 8")
    assert replaced == (7,)
    assert units(registry, batch) == UnitsOfBatch(10, 0, 0, 0, 0, 8, 2)


def test_promised_units_stay_promised_and_count_as_used(registry: Registry, batch: Batch) -> None:
    holder = buyer(registry, batch, 8)
    wish = RetirementWish(
        new_id(), holder, batch.id, 8, Purpose.PUBLIC_BENEFIT, None, texts(""), cool_down=NOW
    )
    salt = lambda: secrets.token_bytes(32)  # noqa: E731 -- where it is used
    at = registry.tick()
    registry.db.transact(request_retirement, wish, new_id=new_id, new_salt=salt, at=at)
    done = recall(registry, {batch.public: 10})
    assert told(registry, done) == [(10, 8, 2, 0, 0)]
    assert take_retirements(registry.db, at=registry.tick()) == 1
    assert units(registry, batch) == UnitsOfBatch(10, 0, 0, 0, 0, 8, 2)


def test_acts_of_some_days_name_the_batches_that_have_them(
    registry: Registry, batch: Batch
) -> None:
    second = more(registry)
    (day,) = one(registry.db, "select min(occurred_on) from lot_row")
    acts = ActsOfDays(asset_key(BUS), day, day)
    found = registry.db.read(recalled_by_days, acts)
    assert found == {batch.public: 10, second.public: 10}
    done = recall(registry, dict(found), acts)
    assert registry.db.read(find_recall, done).acts == acts
    before = ActsOfDays(asset_key(BUS), day - timedelta(9), day - timedelta(8))
    with pytest.raises(RecallEmpty):
        registry.db.read(recalled_by_days, before)


def test_no_unit_is_recalled_twice(registry: Registry, batch: Batch) -> None:
    recall(registry, {batch.public: 6})
    asking = Asking(WHO, REASON, new_id(), registry.at)
    with pytest.raises(RecallTooMuch):
        registry.db.transact(ask_recall, asking, None, {batch.public: 5})
    with pytest.raises(BatchUnknown):
        registry.db.transact(ask_recall, asking, None, {public_id("ibt", new_id()): 1})
    assert recall(registry, {batch.public: 4})
    assert units(registry, batch) == UnitsOfBatch(10, 0, 0, 0, 0, 0, 10)


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
    assert told(registry, signing.approval) == [(7, 0, 7, 5, 2)]
    assert held(registry, holder) == 5
    assert units(registry, batch).invalidated_kg == 7
