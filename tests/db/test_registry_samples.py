"""The sample of a lot: a seed that nobody chooses, records that open it, parties in their time."""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from app.activities import Standing, settle
from app.activities.choice import chosen
from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.projects.monitoring import reading_of, written_readings
from app.registry.errors import (
    FindingGiven,
    FindingsMissing,
    LotGoesOn,
    LotState,
    NobodyRevealed,
    NonceEarly,
    NonceLate,
    NonceTaken,
    NonceWrong,
    NotCorrected,
    RecordUnopened,
)
from app.registry.freezing import NOTHING, freeze_lots
from app.registry.lots import Lot
from app.registry.sampling import (
    COMMITTED_WITHIN,
    REVEALED_WITHIN,
    Party,
    commit_nonce,
    draw_sample,
    drawn_of,
    reveal_nonce,
    thaw_lot,
)
from app.registry.schemas import SeedOut, shown_sampled
from app.registry.showing import whole_lot
from app.registry.verification import (
    Finding,
    Record,
    SampledRow,
    Verdict,
    error_rate_of,
    find,
    sampled_rows,
)
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Reduction
from ledger.chart import Code
from ledger.lots import WITHHELD, draw, nonce_commitment, sample_seed
from methodologies import Approval
from tests.support.acts import one, people, provider, rows, send
from tests.support.desk import put_in_library
from tests.support.homes import LAST_MONTH, home, month_of, readings
from tests.support.owners import BUS, asset_number, post_all, row
from tests.support.points import accrue, citizens, swap
from tests.support.projects import SINCE, Roofs
from tests.support.registry import KG, NONCES, Registry
from tests.support.riders import RIDE, confirmed, record, riders, rode

MONTH = LAST_MONTH.date()


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    made = Registry(db, worker_db, keys, tmp_path)
    made.terms()
    return made


@pytest.fixture
def rides(registry: Registry) -> Reduction:
    """The class of twenty rides of a kilogram that are pooled."""
    return rode(registry)


def test_the_sample_is_the_seed_s_and_anybody_can_draw_it(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.sampled(registry.frozen(rides).id)
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
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.sampled(registry.frozen(rides).id).id
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


def test_nonces_are_committed_to_before_the_epoch_and_revealed_after(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.frozen(rides).id
    with pytest.raises(NonceEarly):
        registry.reveal(lot)
    registry.commit(lot, [Party.VERIFIER])
    with pytest.raises(NonceTaken):
        registry.commit(lot, [Party.VERIFIER])
    registry.commit(lot, [Party.REGULATOR])
    with pytest.raises(NonceEarly):
        db.transact(draw_sample, "v", lot, at=registry.at)
    registry.close()
    with pytest.raises(NonceWrong):
        db.transact(reveal_nonce, "v", lot, Party.VERIFIER, b"x" * 32, at=registry.at)
    registry.reveal(lot)
    with pytest.raises(NonceTaken):
        registry.reveal(lot)
    db.transact(draw_sample, "v", lot, at=registry.at)
    with pytest.raises(LotState):
        db.transact(draw_sample, "v", lot, at=registry.at)


def draws(registry: Registry, lot: UUID) -> None:
    registry.db.transact(draw_sample, "v", lot, at=registry.at)


def thaws(registry: Registry, lot: UUID) -> Lot:
    return registry.db.transact(thaw_lot, "o", lot, at=registry.at)


def shown(registry: Registry, lot: UUID) -> SeedOut:
    return registry.db.read(whole_lot, lot).seed


def test_a_nonce_that_is_withheld_counts_as_zeros_and_stops_nothing(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.frozen(rides).id
    registry.commit(lot)
    registry.close()
    registry.reveal(lot, [Party.VERIFIER])
    registry.at += REVEALED_WITHIN
    with pytest.raises(NonceEarly):
        draws(registry, lot)
    assert not any(part.is_withheld for part in shown(registry, lot).parts)
    registry.tick()
    with pytest.raises(NonceLate):
        registry.reveal(lot, [Party.REGULATOR])
    with pytest.raises(LotGoesOn):
        thaws(registry, lot)
    draws(registry, lot)
    (block,) = one(db, "select block_hash from lot_sample")
    told = shown(registry, lot)
    assert told.seed == sample_seed(bytes(block), NONCES[Party.VERIFIER], WITHHELD).hex()
    assert {part.party: part.is_withheld for part in told.parts} == {
        Party.VERIFIER: False,
        Party.REGULATOR: True,
    }
    said = rows(db, "select detail ->> 'withheld' from audit_entry where act = 'lots.draw'")
    assert said == [("regulator",)]


def test_who_never_commits_is_waited_for_a_week_and_no_longer(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot = registry.frozen(rides).id
    registry.commit(lot, [Party.REGULATOR])
    registry.close()
    # An epoch that closes before both have committed, or their week is over, decides nothing.
    with pytest.raises(NonceEarly):
        registry.reveal(lot, [Party.REGULATOR])
    registry.at += COMMITTED_WITHIN
    with pytest.raises(NonceLate):
        registry.commit(lot, [Party.VERIFIER])
    accrue(db, riders(db)[0], asset_number(db, BUS), 1)
    registry.close()
    registry.reveal(lot, [Party.REGULATOR])
    draws(registry, lot)
    assert [part.is_withheld for part in shown(registry, lot).parts] == [True, False]
    assert one(db, "select epoch from lot_sample") == (2,)


def test_a_commitment_is_its_party_s_and_nobody_s_copy(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    lot, nonce = registry.frozen(rides).id, NONCES[Party.VERIFIER]
    registry.commit(lot, [Party.VERIFIER])
    copied = nonce_commitment(lot, Party.VERIFIER, nonce)
    with pytest.raises(NonceTaken):
        db.transact(commit_nonce, "r", lot, Party.REGULATOR, copied, at=registry.at)
    assert nonce_commitment(lot, Party.REGULATOR, nonce) != copied


def test_an_epoch_that_closes_while_a_lot_is_frozen_does_not_decide_it(
    registry: Registry, rides: Reduction, db: Database, keys: Keys
) -> None:
    lot = registry.begin(rides)

    def clock() -> datetime:
        registry.close()
        return registry.tick()

    freeze_lots(db, keys, clock=clock)
    assert registry.lot(lot).frozen_at == registry.at
    assert shown(registry, lot).epoch is None
    registry.commit(lot)
    accrue(db, riders(db)[0], asset_number(db, BUS), 1)
    registry.close()
    assert shown(registry, lot).epoch == 2


def test_where_nobody_reveals_the_lot_is_thawed_and_it_is_counted(
    registry: Registry, rides: Reduction, db: Database
) -> None:
    first = registry.frozen(rides).id
    with pytest.raises(LotGoesOn):
        thaws(registry, first)
    registry.commit(first)
    registry.close()
    registry.at += REVEALED_WITHIN
    with pytest.raises(LotGoesOn):
        thaws(registry, first)
    registry.tick()
    with pytest.raises(NobodyRevealed):
        draws(registry, first)
    assert thaws(registry, first).id == first
    assert registry.lot(first).reason == "nobody revealed a nonce"
    assert all(part.is_withheld for part in shown(registry, first).parts)
    # Nobody commits to anything for the second: it is thawed when their week is over.
    second = registry.frozen(rides).id
    registry.at += COMMITTED_WITHIN
    with pytest.raises(LotGoesOn):
        thaws(registry, second)
    registry.tick()
    thaws(registry, second)
    third = registry.frozen(rides)
    assert third.leaves == 20
    counted = [db.read(whole_lot, lot).earlier_draws for lot in (first, second, third.id)]
    assert counted == [0, 1, 2]


def reported(registry: Registry) -> tuple[SampledRow, Record]:
    """A sampled lot of one row, a project's report, and what its owner produces for it."""
    db, keys = registry.db, registry.keys
    (owner,) = citizens(db, keys, 1)
    who = Principal("citizen", new_id(), SCOPES[Role.CITIZEN], owner)
    Roofs(db, keys).accrued(who, SINCE, SINCE + timedelta(days=3))
    report, commitment, told = one(db, "select id, commitment, readings from monitoring_report")
    pooled = (SYSTEM_ACCOUNTS["issuance/reduction"], owner, asset_number(db, BUS), 5 * KG)
    post_all(db, [row(Code.ACCRUE, *pooled, report)._replace(evidence=bytes(commitment))])
    swap(db, owner)
    (drawn,) = db.read(sampled_rows, registry.sampled(registry.frozen(BUS).id).id)
    digest = sha256(written_readings([*map(reading_of, told)]).encode()).digest()
    shown = shown_sampled(drawn)
    assert shown.report is not None
    assert (shown.report, shown.methodology) == (public_id("mrp", report), "SHCER-PV")
    return drawn, Record(shown.report, digest)


def test_a_projects_report_is_confirmed_by_its_readings(registry: Registry, db: Database) -> None:
    drawn, record = reported(registry)
    (lot,) = one(db, "select id from lot")
    for false in (None, record._replace(external_id="mrp_x"), record._replace(sha256=bytes(32))):
        with pytest.raises(RecordUnopened):
            registry.confirmed(lot, [Finding(drawn.draw, Verdict.CONFIRMED, None, false, "")])
    registry.confirmed(lot, [Finding(drawn.draw, Verdict.CONFIRMED, None, record, "")])
    assert registry.issue(lot).quantity_kg == 5


def test_a_projects_report_that_was_found_wrong_is_in_no_lot_any_more(
    registry: Registry, db: Database, keys: Keys
) -> None:
    drawn, _ = reported(registry)
    (lot,) = one(db, "select id from lot")
    void = Finding(drawn.draw, Verdict.VOID, None, None, "no meter there")
    db.transact(find, keys, "v", lot, [void], at=registry.tick())
    with pytest.raises(NotCorrected):
        registry.decide(lot, is_confirmed=True)
    assert registry.decide(lot, is_confirmed=False).outcome == "rejected"
    assert registry.frozen(BUS).reason == NOTHING
    left = rows(db, "select mg, excluded from lot_row where excluded is not null")
    assert left == [(5 * KG, "verification.report")]


def test_a_settled_month_that_was_found_wrong_is_corrected(
    registry: Registry, db: Database, keys: Keys
) -> None:
    document = put_in_library(db, home().replace('"published"', '"official_text"'))
    first, last = MONTH - timedelta(days=7), day_of(now())
    valid = Approval(scenario=document.scenario, valid_from=first, valid_until=last)
    standing = {(document.code, document.version): Standing((), (valid,))}
    choice, grid = chosen(document, standing=standing), provider(db, "grid")
    people(db, keys, grid, ["meter-1"], choice=choice)
    send(db, keys, grid, readings(month_of(8, 6)), choice)
    assert settle(db, choice, MONTH, at=now()).people == 1
    swap(db, one(db, "select account from subject")[0])
    (facts,) = rows(
        db, "select methodology, version, scenario, grade, vintage from asset where grade = 'A'"
    )
    lot = registry.sampled(registry.frozen(Reduction(*facts)).id).id
    (drawn,) = db.read(sampled_rows, lot)
    assert (drawn.mg, drawn.provider, drawn.report) == (4 * KG, None, None)
    less = Finding(drawn.draw, Verdict.OVERSTATED, 3 * KG, None, "another meter's days")
    registry.confirmed(lot, [less])
    assert rows(db, "select reason, change_mg from act_correction where cause = %s", lot) == [
        ("verification.overstated", -3 * KG)
    ]
