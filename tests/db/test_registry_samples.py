"""The sample of a lot: a seed that nobody chooses, records that open it, parties in their time."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.registry.errors import (
    FindingGiven,
    FindingsMissing,
    LotState,
    NobodyLate,
    NonceEarly,
    NonceLate,
    NonceTaken,
    NonceWrong,
    RecordUnopened,
)
from app.registry.sampling import Party, draw_sample, drawn_of, reveal_nonce, thaw_lot
from app.registry.verification import Finding, Record, Verdict, error_rate_of, find, sampled_rows
from ledger.assets import Reduction
from ledger.lots import draw, sample_seed
from tests.support.acts import one, rows
from tests.support.owners import BUS, asset_number
from tests.support.points import accrue
from tests.support.registry import NONCES, Registry
from tests.support.riders import RIDE, confirmed, record, riders, rode


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
    registry: Registry, rides: Reduction, db: Database
) -> None:
    first = registry.frozen(rides).id
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
    second = registry.frozen(rides).id
    accrue(db, riders(db)[0], asset_number(db, BUS), 1)
    registry.close()
    db.transact(thaw_lot, "o", second, at=registry.at)
    assert registry.lot(second).reason == "missed its time: verifier, regulator"
    assert registry.frozen(rides).leaves == 20
