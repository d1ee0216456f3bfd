"""From the pool to units: a lot frozen, sampled, decided and issued, and who may say what when."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
from sqlmodel import Session

from app.activities.corrections import Correction, correct
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.registry.errors import ClassNotPooled, LotOpen, LotState, TermsUnset
from app.registry.freezing import sweep
from app.registry.issuing import issue
from app.registry.lineage import LeftOut, OpenedRow, leaves_of_unit, open_row, own_units
from app.registry.lots import LotOutcome, LotStep
from app.registry.reporting import report_lot
from app.registry.showing import whole_lot
from app.registry.verification import Finding, Verdict, error_rate_of, find, sampled_rows
from ledger.assets import Reduction
from ledger.log import tree_hash
from ledger.lots import check_row
from tests.support.acts import TODAY, one, rows
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import accrue, citizens
from tests.support.registry import KG, WINDOW_DAYS, Registry
from tests.support.riders import confirmed, record, riders, rode


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    made = Registry(db, worker_db, keys, tmp_path)
    made.terms()
    return made


@pytest.fixture
def rides(registry: Registry) -> Reduction:
    """The class of twenty rides of a kilogram that are pooled."""
    return rode(registry)


def lower(db: Database, act: UUID, mg: int, before_commit: Callable[[], object] = bool) -> None:
    """Correct an act as its provider would."""
    owner, bucket, recorded_on = one(
        db, "select account, bucket, recorded_on from activity where id = %s", act
    )
    said = Correction(bucket, owner, recorded_on, act, mg, "provider.restated")

    def command(session: Session) -> None:
        connection, cause = driver(session), new_id()
        told = (connection, [said])
        correct(*told, cause=cause, at=now(), window_days=WINDOW_DAYS, new_id=new_id)
        before_commit()

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
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.frozen(rides)
    leaves = [bytes(x) for (x,) in rows(db, "select leaf from lot_row where lot = %s", lot.id)]
    assert (lot.leaves, lot.mg, lot.step) == (20, 20 * KG, LotStep.FROZEN)
    assert lot.root == tree_hash(sorted(leaves))
    tile = one(db, "select hashes from lot_tile where lot = %s and level = 0", lot.id)[0]
    assert bytes(tile) == b"".join(sorted(leaves))


def test_a_row_opens_to_its_owner_and_to_nobody_else(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    batch = registry.issued_from_records(rides, confirmed)
    for owner in riders(db):
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
        stranger = next(other for other in riders(db) if other != owner)
        place = (one(db, "select bucket from subject where account = %s", stranger)[0], stranger)
        with pytest.raises(Refusal, match="row_unknown"):
            db.read(open_row, keys, *place, batch.lot, mine[0].activity)
    leaves = sorted(bytes(x) for (x,) in rows(db, "select leaf from lot_row"))

    def behind(number: int, after: str = "") -> list[bytes]:
        query = partial(leaves_of_unit, batch=batch, number=number, after=after, limit=9)
        return [*db.read(lambda session: query(driver(session)))]

    assert [behind(number) for number in (1, 3, 20)] == [[leaves[0]], [leaves[2]], [leaves[19]]]
    assert (behind(3, leaves[1].hex()), behind(3, leaves[2].hex())) == ([leaves[2]], [])


def test_what_is_found_wrong_is_corrected_and_not_issued(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(rides).id).id
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
    assert framed(db, registry.frozen(rides).id) == [(found[1].activity, 600_000, None)]


def test_an_act_corrected_after_the_freeze_leaves_the_lot(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.frozen(rides).id
    act = framed(db, lot)[0][0]
    registry.sampled(lot)
    rest = [confirmed(row) for row in db.read(sampled_rows, lot)]
    lower(db, act, 250_000)
    registry.confirmed(lot, rest)
    assert registry.issue(lot).quantity_kg == 19
    assert framed(db, registry.frozen(rides).id) == [(act, 250_000, None)]


def test_an_issuance_waits_for_a_correction_that_reaches_into_the_pool(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.frozen(rides).id
    act = framed(db, lot)[0][0]
    registry.sampled(lot)
    registry.confirmed(lot, [confirmed(row) for row in db.read(sampled_rows, lot)])
    taken, goes_on = Event(), Event()

    def pause() -> None:
        taken.set()
        assert goes_on.wait(20)

    with ThreadPoolExecutor(2) as pool:
        correcting = pool.submit(lower, db, act, 250_000, pause)
        assert taken.wait(20)
        issuing = pool.submit(registry.issue, lot)
        with pytest.raises(TimeoutError):
            issuing.result(timeout=0.7)
        goes_on.set()
        correcting.result(timeout=20)
        assert issuing.result(timeout=20).quantity_kg == 19


def test_the_boundary_list_is_asked_again_at_pooling(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    number = keys.subject_hash("metro", "card-3")
    put = """insert into exclusion (kind, number, reason, source, valid_from)
             values ('subject', %s, 'boundary.ets', 'list 7', %s)"""
    day = day_of(TODAY) - timedelta(days=5)
    db.transact(lambda session: driver(session).execute(put.encode(), (number, day)))
    lot = registry.frozen(rides)
    left = [row for row in framed(db, lot.id) if row[2]]
    assert [(mg, reason) for _, mg, reason in left] == [(KG, "boundary.ets")] * 2
    assert (lot.leaves, lot.mg) == (18, 18 * KG)
    owner, bucket = one(db, "select account, bucket from instrument where number = %s", number)
    told = db.read(open_row, keys, bucket, owner, lot.id, left[0][0])
    assert isinstance(told, LeftOut)
    assert told.reason == "boundary.ets"
    assert registry.issued_from_records(rides, confirmed, lot.id).quantity_kg == 18


def test_what_the_checks_find_after_the_freeze_is_not_issued(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(rides).id).id
    registry.confirmed(lot, [confirmed(row) for row in db.read(sampled_rows, lot)])
    listed = (keys.subject_hash("metro", "card-3"), day_of(TODAY) - timedelta(days=5))
    twin, owner, bucket = one(
        db,
        """select a.id, a.account, a.bucket
             from activity a join instrument i using (bucket, account)
            where i.number <> %s order by a.id limit 1""",
        listed[0],
    )

    def found(session: Session) -> None:
        put = """insert into exclusion (kind, number, reason, source, valid_from)
                 values ('subject', %s, 'boundary.ets', 'list 7', %s)"""
        note = """insert into act_merge (bucket, account, id, activity, counted, recorded_on,
                                         reason)
                  values (%s, %s, %s, %s, %s, %s, 'merge.same_act')"""
        facts = (bucket, owner, new_id(), twin, new_id(), day_of(now()))
        driver(session).execute(put, listed)
        driver(session).execute(note, facts)

    db.transact(found)
    assert registry.issue(lot).quantity_kg == 17
    placed = rows(db, "select activity from issued_row where lot = %s", lot)
    assert len(placed) == 17
    assert (twin,) not in placed
    # Their milligrams stay in the pool, and the next lot says why they are in none.
    again = [reason for _, _, reason in framed(db, registry.frozen(rides).id)]
    assert sorted(map(str, again)) == ["boundary.ets", "boundary.ets", "merge.same_act"]


def test_an_act_that_another_counts_for_is_left_out(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    act, owner, bucket = one(db, "select id, account, bucket from activity order by id limit 1")
    note = """insert into act_merge (bucket, account, id, activity, counted, reason, recorded_on)
              values (%s, %s, %s, %s, %s, 'merge.same_act', %s)"""
    facts = (bucket, owner, new_id(), act, new_id(), day_of(now()))
    db.transact(lambda session: driver(session).execute(note.encode(), facts))
    lot = registry.frozen(rides)
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
    # Less than a unit stays of it: it is closed, so that the class can go on.
    assert registry.lot(first.id).step is LotStep.CONFIRMED
    db.transact(issue, {"lot": first.public}, registry.signing())
    closed = registry.lot(first.id)
    assert (closed.outcome, closed.reason) == (LotOutcome.THAWED, "less than a unit stayed of it")
    assert one(db, "select count(*) from issue_batch") == (0,)
    registry.pool(citizens(db, keys, 1)[0], asset_number(db, BUS), 100_000)
    assert registry.issued(BUS).quantity_kg == 1


def test_a_lot_of_nothing_is_closed(registry: Registry, db: Database, keys: Keys) -> None:
    accrue(db, citizens(db, keys, 1)[0], asset_number(db, BUS), 5 * KG)
    lot = registry.frozen(BUS)
    assert (lot.outcome, lot.leaves) == (LotOutcome.THAWED, None)
    # Nobody withheld anything of it, and it is no draw that ended.
    shown = db.read(whole_lot, lot.id)
    assert not any(part.is_withheld for part in shown.seed.parts)
    registry.pool(citizens(db, keys, 1)[0], asset_number(db, BUS), 2 * KG)
    assert db.read(whole_lot, registry.frozen(BUS).id).earlier_draws == 0


def test_freezing_goes_on_where_it_was_broken_off(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.begin(rides)
    for _ in range(20):
        db.transact(sweep, keys, lot)
    before = framed(db, lot)
    assert 0 < len(before) < 20
    assert registry.lot(lot).swept == 320
    registry.freeze()
    assert registry.lot(lot).leaves == 20
    assert set(before) < set(framed(db, lot))


def test_a_lot_takes_no_more_buckets_once_it_is_large(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    first = registry.frozen(rides, rows_max=5)
    assert first.leaves is not None
    assert 5 <= first.leaves < 20
    registry.sampled(first.id)
    registry.confirmed(first.id, [confirmed(row) for row in db.read(sampled_rows, first.id)])
    registry.issue(first.id)
    assert registry.frozen(rides).leaves == 20 - first.leaves


def test_a_rejected_lot_s_milligrams_are_free_for_another(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(rides).id).id
    rest = [confirmed(row) for row in db.read(sampled_rows, lot)]
    db.transact(find, keys, "v", lot, rest, at=registry.tick())
    assert registry.decide(lot, is_confirmed=False).outcome is LotOutcome.REJECTED
    with pytest.raises(LotState):
        registry.issue(lot)
    assert registry.frozen(rides).leaves == 20


def test_an_erased_person_s_milligrams_stay_in_the_pool(
    registry: Registry, rides: Reduction, db: Database, worker_db: Database
) -> None:
    gone = riders(db)[0]
    forget = "delete from account_secret where bucket >= 0 and account = %s"
    worker_db.transact(lambda session: driver(session).execute(forget.encode(), (gone,)))
    lot = registry.frozen(rides)
    assert [reason for _, _, reason in framed(db, lot.id) if reason] == ["owner.erased"] * 2
    assert lot.leaves == 18
    told = db.transact(report_lot, "clk_operator", lot.id, at=registry.tick()).told()
    assert told["excluded"] == [{"reason": "owner.erased", "acts": 2, "co2e_kg": 2}], "and counted"
