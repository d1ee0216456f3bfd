"""From the pool to units: a lot frozen, sampled, decided and issued, and who may say what when."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import Session

from app.activities import Item, Outcome
from app.activities.corrections import Correction, correct
from app.activities.marks import record_of
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.registry.errors import (
    BelowOneUnit,
    ClassNotPooled,
    FindingGiven,
    FindingsMissing,
    LotOpen,
    LotState,
    NobodyLate,
    NonceEarly,
    NonceLate,
    NonceTaken,
    NonceWrong,
    RecordUnopened,
    TermsUnset,
)
from app.registry.freezing import sweep
from app.registry.lineage import LeftOut, OpenedRow, open_row, own_units, rows_of_unit
from app.registry.lots import LotOutcome, LotStep
from app.registry.sampling import Party, draw_sample, drawn_of, reveal_nonce, thaw_lot
from app.registry.verification import (
    Finding,
    Record,
    SampledRow,
    Verdict,
    error_rate_of,
    find,
    sampled_rows,
)
from ledger.assets import Reduction
from ledger.log import tree_hash
from ledger.lots import check_row, draw, sample_seed
from tests.support.acts import TODAY, item, one, people, provider, rows, send
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import accrue, citizens, swap
from tests.support.registry import KG, NONCES, WINDOW_DAYS, Registry, grade_a

RIDE = grade_a()


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    made = Registry(db, worker_db, keys, tmp_path)
    made.terms()
    return made


@pytest.fixture
def riders(registry: Registry, db: Database, keys: Keys) -> Reduction:  # noqa: ARG001 -- a city first
    """Ten citizens who rode and exchanged, as a provider told: a kilogram a ride."""
    metro = provider(db)
    cards = [f"card-{n}" for n in range(10)]
    people(db, keys, metro, cards, choice=RIDE)
    items = [ride(line, cards[line % 10]) for line in range(20)]
    assert send(db, keys, metro, items, RIDE).counts[Outcome.ACCEPTED] == 20
    for owner in owners(db):
        swap(db, owner)
    (facts,) = rows(
        db, "select methodology, version, scenario, grade, vintage from asset where grade = 'A'"
    )
    return Reduction(*facts)


def ride(line: int, card: str) -> Item:
    return item(line, subject=card, occurred_at=TODAY - timedelta(hours=1 + line // 10))


def owners(db: Database) -> list[int]:
    return [owner for (owner,) in rows(db, "select account from subject order by account")]


def record(row: SampledRow) -> Record:
    """What the provider produces for a row: found by the hash of its own id."""
    for line in range(20):
        told = ride(line, f"card-{line % 10}")
        if sha256(told.external_id.encode()).digest()[:16] == row.external_hash:
            return Record(told.external_id, sha256(record_of(told, RIDE.code)).digest())
    raise AssertionError(row)


def confirmed(row: SampledRow) -> Finding:
    return Finding(row.draw, Verdict.CONFIRMED, None, record(row), "")


def lower(db: Database, act: UUID, mg: int) -> None:
    """Correct an act as its provider would."""
    owner, bucket, recorded_on = one(
        db, "select account, bucket, recorded_on from activity where id = %s", act
    )
    said = Correction(bucket, owner, recorded_on, act, mg, "provider.restated")

    def command(session: Session) -> None:
        connection, cause = driver(session), new_id()
        told = (connection, [said])
        correct(*told, cause=cause, at=now(), window_days=WINDOW_DAYS, new_id=new_id)

    db.transact(command)


def framed(db: Database, lot: UUID) -> list[tuple[UUID, int, str | None]]:
    return rows(
        db, "select activity, mg, excluded from lot_row where lot = %s order by activity", lot
    )


def test_what_is_pooled_is_issued_in_whole_kilograms(
    registry: Registry, db: Database, keys: Keys
) -> None:
    bus = asset_number(db, BUS)
    for owner in citizens(db, keys, 3):
        registry.pool(owner, bus, 1_500_000, 2_000_000, 340_000)
    batch = registry.issued(BUS)
    assert (batch.number, batch.quantity_kg, batch.buffer_kg, batch.end_kg) == (1, 11, 1, 11)
    moved = rows(
        db,
        """select t.code, s.name, t.amount, t.cause from transfer t
             join system_account s on s.id = t.source where t.code in (15, 16)
            order by t.code, t.amount""",
    )
    assert moved == [
        (15, "pool", 11 * KG, batch.id),
        (16, "issuance/unit", 1, batch.id),
        (16, "issuance/unit", 10, batch.id),
    ]
    places = rows(db, "select lower(place), upper(place) from issued_row order by place")
    assert places[0][0] == 0
    assert places[-1][1] == 11 * KG
    assert [end for _, end in places[:-1]] == [start for start, _ in places[1:]]
    assert one(db, "select kind, batch from registry_message") == ("issue", batch.id)
    # What was left of a kilogram is in the pool; the next batch goes on where this one ended.
    registry.pool(citizens(db, keys, 1)[0], bus, 480_000)
    after = registry.issued(BUS)
    assert (after.number, after.quantity_kg, after.first_mg) == (2, 1, 11 * KG)


def test_its_root_is_over_the_leaves_of_all_that_was_pooled(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    lot = registry.frozen(riders)
    leaves = [bytes(x) for (x,) in rows(db, "select leaf from lot_row where lot = %s", lot.id)]
    assert (lot.leaves, lot.mg, lot.step) == (20, 20 * KG, LotStep.FROZEN)
    assert lot.root == tree_hash(sorted(leaves))
    tile = one(db, "select hashes from lot_tile where lot = %s and level = 0", lot.id)[0]
    assert bytes(tile) == b"".join(sorted(leaves))


def test_a_row_opens_to_its_owner_and_to_nobody_else(
    registry: Registry, riders: Reduction, db: Database, keys: Keys
) -> None:
    batch = registry.issued_from_records(riders, confirmed)
    for owner in owners(db):
        bucket = one(db, "select bucket from subject where account = %s", owner)[0]
        mine = db.read(own_units, bucket, owner, before=None, limit=50)
        assert len(mine) == 2
        assert {each.batch for each in mine} == {batch}
        for each in mine:
            opened = db.read(open_row, keys, bucket, owner, batch.lot, each.activity)
            assert isinstance(opened, OpenedRow)
            facts = (opened.position, 20, opened.path, opened.lot.root or b"")
            assert check_row(opened.row, opened.salt, *facts)
            assert opened.units == each.units
        stranger = next(other for other in owners(db) if other != owner)
        place = (one(db, "select bucket from subject where account = %s", stranger)[0], stranger)
        with pytest.raises(Refusal, match="row_unknown"):
            db.read(open_row, keys, *place, batch.lot, mine[0].activity)
    found = db.read(lambda session: rows_of_unit(driver(session), batch, 3, after=None, limit=9))
    assert [(row.start_mg, row.end_mg) for row in found] == [(0, KG)]


def test_the_sample_is_the_seed_s_and_anybody_can_draw_it(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    lot = registry.sampled(registry.frozen(riders).id)
    drawn = db.read(drawn_of, lot.id)
    assert drawn is not None
    epoch, block = one(db, "select epoch, block_hash from anchored where final_at is not null")
    assert one(db, "select epoch from lot_sample") == (epoch,)
    assert drawn.seed == sample_seed(bytes(block), *NONCES.values())
    leaves = [
        bytes(x)
        for (x,) in rows(db, "select leaf from lot_leaf where lot = %s order by leaf", lot.id)
    ]
    again = [position for position, _ in draw(drawn.seed, leaves, 5)]
    assert [row.position for row in db.read(sampled_rows, lot.id)] == again


def test_a_row_is_confirmed_by_the_record_that_its_commitment_is_of(
    registry: Registry, riders: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(riders).id).id
    row, other = db.read(sampled_rows, lot)[:2]
    assert (row.provider, row.methodology, row.inputs) == ("metro", RIDE.code, {"distance": "10"})
    for false in (None, record(other), Record(record(row).external_id, bytes(32))):
        finding = Finding(row.draw, Verdict.CONFIRMED, None, false, "")
        with pytest.raises(RecordUnopened):
            db.transact(find, keys, "v", lot, [finding], at=registry.at)
    db.transact(find, keys, "v", lot, [confirmed(row)], at=registry.at)
    with pytest.raises(FindingGiven):
        db.transact(find, keys, "v", lot, [confirmed(row)], at=registry.at)
    with pytest.raises(FindingsMissing):
        registry.decide(lot, is_confirmed=True)
    rate = db.read(error_rate_of, lot)
    assert rate is not None
    assert (rate.wrong, rate.sampled) == (0, 1)


def test_what_is_found_wrong_is_corrected_and_not_issued(
    registry: Registry, riders: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(riders).id).id
    found = db.read(sampled_rows, lot)
    wrong = [
        Finding(found[0].draw, Verdict.VOID, None, None, "no record"),
        Finding(found[1].draw, Verdict.OVERSTATED, 400_000, record(found[1]), "4 km less"),
    ]
    rest = [confirmed(row) for row in found[2:]]
    db.transact(find, keys, "v", lot, [*wrong, *rest], at=registry.tick())
    registry.decide(lot, is_confirmed=True)
    rate = db.read(error_rate_of, lot)
    assert rate is not None
    assert (rate.wrong, rate.sampled) == (2, 5)
    told = rows(db, "select reason, change_mg from act_correction where cause = %s order by 1", lot)
    assert told == [("verification.overstated", -400_000), ("verification.void", -KG)]
    batch = registry.issue(lot)
    assert batch.quantity_kg == 18
    left = {row.activity for row in found[:2]}
    assert not left & {act for (act,) in rows(db, "select activity from issued_row")}
    # The overstated act's other 600 g stayed in the pool, for the next lot.
    assert framed(db, registry.frozen(riders).id) == [(found[1].activity, 600_000, None)]


def test_an_act_corrected_after_the_freeze_leaves_the_lot(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    lot = registry.frozen(riders).id
    act = framed(db, lot)[0][0]
    registry.sampled(lot)
    rest = [confirmed(row) for row in db.read(sampled_rows, lot)]
    lower(db, act, 250_000)
    registry.confirmed(lot, rest)
    assert registry.issue(lot).quantity_kg == 19
    assert framed(db, registry.frozen(riders).id) == [(act, 250_000, None)]


def test_the_boundary_list_is_asked_again_at_pooling(
    registry: Registry, riders: Reduction, db: Database, keys: Keys
) -> None:
    number = keys.subject_hash("metro", "card-3")
    put = """insert into exclusion (kind, number, reason, source, valid_from)
             values ('subject', %s, 'boundary.ets', 'list 7', %s)"""
    day = day_of(TODAY) - timedelta(days=5)
    db.transact(lambda session: driver(session).execute(put.encode(), (number, day)))
    lot = registry.frozen(riders)
    left = [row for row in framed(db, lot.id) if row[2]]
    assert [(mg, reason) for _, mg, reason in left] == [(KG, "boundary.ets")] * 2
    assert (lot.leaves, lot.mg) == (18, 18 * KG)
    owner, bucket = one(db, "select account, bucket from instrument where number = %s", number)
    told = db.read(open_row, keys, bucket, owner, lot.id, left[0][0])
    assert isinstance(told, LeftOut)
    assert told.reason == "boundary.ets"
    assert registry.issued_from_records(riders, confirmed, lot.id).quantity_kg == 18


def test_an_act_that_another_counts_for_is_left_out(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    act, owner, bucket = one(db, "select id, account, bucket from activity order by id limit 1")
    note = """insert into act_merge (bucket, account, id, activity, counted, reason, recorded_on)
              values (%s, %s, %s, %s, %s, 'merge.same_act', %s)"""
    facts = (bucket, owner, new_id(), act, new_id(), day_of(now()))
    db.transact(lambda session: driver(session).execute(note.encode(), facts))
    lot = registry.frozen(riders)
    assert [row for row in framed(db, lot.id) if row[2]] == [(act, KG, "merge.same_act")]


def test_nothing_is_frozen_before_terms_are_set_or_twice_at_once(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    registry = Registry(db, worker_db, keys, tmp_path)
    registry.pool(citizens(db, keys, 1)[0], asset_number(db, BUS), 900_000)
    with pytest.raises(TermsUnset):
        registry.begin(BUS)
    registry.terms()
    asset_number(db, BUS_B)
    with pytest.raises(ClassNotPooled):
        registry.begin(BUS_B)
    first = registry.frozen(BUS)
    with pytest.raises(LotOpen):
        registry.begin(BUS)
    registry.sampled(first.id)
    registry.confirmed(first.id)
    with pytest.raises(BelowOneUnit):
        registry.issue(first.id)
    assert registry.lot(first.id).step is LotStep.CONFIRMED


def test_a_lot_of_nothing_is_closed(registry: Registry, db: Database, keys: Keys) -> None:
    accrue(db, citizens(db, keys, 1)[0], asset_number(db, BUS), 5 * KG)
    lot = registry.frozen(BUS)
    assert (lot.outcome, lot.leaves) == (LotOutcome.THAWED, None)


def test_freezing_goes_on_where_it_was_broken_off(
    registry: Registry, riders: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.begin(riders)
    for _ in range(20):
        db.transact(sweep, keys, lot)
    before = framed(db, lot)
    assert 0 < len(before) < 20
    assert registry.lot(lot).swept == 320
    registry.freeze()
    assert registry.lot(lot).leaves == 20
    assert set(before) < set(framed(db, lot))


def test_a_lot_takes_no_more_buckets_once_it_is_large(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    first = registry.frozen(riders, rows_max=5)
    assert first.leaves is not None
    assert 5 <= first.leaves < 20
    registry.sampled(first.id)
    registry.confirmed(first.id, [confirmed(row) for row in db.read(sampled_rows, first.id)])
    registry.issue(first.id)
    assert registry.frozen(riders).leaves == 20 - first.leaves


def test_a_rejected_lot_s_milligrams_are_free_for_another(
    registry: Registry, riders: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(riders).id).id
    rest = [confirmed(row) for row in db.read(sampled_rows, lot)]
    db.transact(find, keys, "v", lot, rest, at=registry.tick())
    assert registry.decide(lot, is_confirmed=False).outcome is LotOutcome.REJECTED
    with pytest.raises(LotState):
        registry.issue(lot)
    assert registry.frozen(riders).leaves == 20


def test_nonces_are_committed_to_before_the_epoch_and_revealed_after(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    lot = registry.frozen(riders).id
    with pytest.raises(NonceEarly):
        registry.reveal(lot)
    registry.commit(lot, [Party.VERIFIER])
    with pytest.raises(NonceTaken):
        registry.commit(lot, [Party.VERIFIER])
    registry.commit(lot, [Party.REGULATOR])
    with pytest.raises(NonceEarly):
        db.transact(draw_sample, "v", lot, at=registry.at)
    registry.close()
    with pytest.raises(NonceLate):
        registry.commit(lot, [Party.VERIFIER])
    with pytest.raises(NonceWrong):
        db.transact(reveal_nonce, "v", lot, Party.VERIFIER, b"x" * 32, at=registry.at)
    registry.reveal(lot)
    with pytest.raises(NonceTaken):
        registry.reveal(lot)
    db.transact(draw_sample, "v", lot, at=registry.at)
    with pytest.raises(LotState):
        db.transact(draw_sample, "v", lot, at=registry.at)


def test_who_misses_their_time_lets_the_lot_be_thawed(
    registry: Registry, riders: Reduction, db: Database
) -> None:
    first = registry.frozen(riders).id
    registry.commit(first)
    with pytest.raises(NobodyLate):
        db.transact(thaw_lot, "o", first, at=registry.at)
    registry.close()
    registry.reveal(first, [Party.VERIFIER])
    with pytest.raises(NobodyLate):
        db.transact(thaw_lot, "o", first, at=registry.at)
    late = registry.at + timedelta(days=8)
    thawed = db.transact(thaw_lot, "o", first, at=late)
    assert registry.lot(thawed.id).reason == "missed its time: regulator"
    # Nobody committed to anything for the second: its epoch closes, and it is thawed at once.
    second = registry.frozen(riders).id
    accrue(db, owners(db)[0], asset_number(db, BUS), 1)
    registry.close()
    db.transact(thaw_lot, "o", second, at=registry.at)
    assert registry.lot(second).reason == "missed its time: verifier, regulator"
    assert registry.frozen(riders).leaves == 20


def test_an_erased_person_s_milligrams_stay_in_the_pool(
    registry: Registry, riders: Reduction, db: Database, worker_db: Database
) -> None:
    gone = owners(db)[0]
    forget = "delete from account_secret where bucket >= 0 and account = %s"
    worker_db.transact(lambda session: driver(session).execute(forget.encode(), (gone,)))
    lot = registry.frozen(riders)
    assert [reason for _, _, reason in framed(db, lot.id) if reason] == ["owner.erased"] * 2
    assert lot.leaves == 18
