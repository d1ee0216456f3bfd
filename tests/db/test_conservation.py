"""Conservation: each unit in one place, whatever was done to it; signed, once a day."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.books import Row, post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.registry.batches import Batch
from app.registry.conservation import (
    AUX,
    ConservationSeal,
    close_units,
    conservation_digest,
    find_closing,
    units_of_batches,
)
from app.registry.conservation_rules import ChainUnits, UnitsOfBatch
from app.registry.errors import ClosingUnknown
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code
from tests.support.acts import one
from tests.support.anchoring import ORIGIN
from tests.support.auditing import tampered
from tests.support.owners import BUS, asset_number
from tests.support.points import citizens
from tests.support.registry import Registry
from tests.support.retirements import Held, ask, wish

DAY = timedelta(days=1)


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    return Registry(db, worker_db, keys, tmp_path)


@pytest.fixture
def batch(registry: Registry, db: Database, keys: Keys) -> Batch:
    registry.terms(buffer_permille=100)
    bus = asset_number(db, BUS)
    for owner in citizens(db, keys, 2):
        registry.pool(owner, bus, 6_000_000)
    return registry.issued(BUS)


def move(registry: Registry, batch: Batch, source: int, target: int, kg: int, code: Code) -> None:
    owner = source & ~1
    row = Row(
        bucket_of(owner),
        day_of(registry.at),
        new_id(),
        source,
        target,
        batch.asset,
        kg,
        int(code),
        new_id(),
        day_of(registry.at),
    )
    registry.db.transact(lambda session: post(driver(session), [row]))


def units(registry: Registry, batch: Batch) -> UnitsOfBatch:
    return registry.db.read(lambda session: units_of_batches(driver(session)))[batch.public]


def close(registry: Registry, chain: ChainUnits | None = None, days: int = 0) -> bool | None:
    at = registry.at + days * DAY
    seal = ConservationSeal(registry.keys.receipt, ORIGIN)
    return registry.db.transact(close_units, seal, chain, day=day_of(at), at=at)


def test_units_are_counted_where_they_are(registry: Registry, batch: Batch) -> None:
    holder = registry.operator.owner
    assert units(registry, batch) == UnitsOfBatch(12, 10, 0, 2, 0, 0, 0)
    ask(registry.db, wish(Held(holder, batch.id), 4))
    assert units(registry, batch) == UnitsOfBatch(12, 6, 4, 2, 0, 0, 0)


def test_a_day_is_closed_once_and_its_signature_is_the_receipt_keys(
    registry: Registry, batch: Batch
) -> None:
    chain = ChainUnits(7, 12, 0, 0)
    assert close(registry, chain) is True
    assert close(registry, chain) is None
    found = registry.db.read(find_closing, day_of(registry.at))
    public: Ed25519PublicKey = registry.keys.receipt.public_key()
    public.verify(found.signature, found.body)
    said = json.loads(found.body)
    assert said["is_kept"]
    assert said["chain"] == {
        "block": 7,
        "issued_kg": 12,
        "retired_kg": 0,
        "invalidated_kg": 0,
    }
    (told,) = said["batches"]
    assert (told["batch"], told["issued_kg"], told["gap_kg"]) == (batch.public, 12, 0)
    assert [(each["programme"], each["gap_fen"]) for each in said["programmes"]] == [("free", 0)]
    with pytest.raises(ClosingUnknown):
        registry.db.read(find_closing, day_of(registry.at - DAY))


def test_the_next_header_commits_to_the_newest_closing(registry: Registry, batch: Batch) -> None:
    assert registry.db.read(conservation_digest) == {}
    for day in range(2):
        close(registry, days=day)
    newest = one(registry.db, "select sha256 from conservation order by day desc limit 1")[0]
    assert registry.worker_db.read(conservation_digest) == {AUX: newest}
    assert batch.quantity_kg == 12


@pytest.mark.parametrize(
    "chain",
    [ChainUnits(9, 13, 0, 0), ChainUnits(9, 12, 1, 0), ChainUnits(9, 12, 0, 1)],
    ids=["issued", "retired", "invalidated"],
)
def test_a_chain_that_has_more_than_the_registry_is_told(
    registry: Registry, batch: Batch, chain: ChainUnits
) -> None:
    assert batch.quantity_kg == 12
    assert close(registry, chain) is False


@pytest.mark.parametrize(
    "tampering",
    [
        "update balance set credits = credits + 1 where asset & 7 = 4",
        "update issue_batch set end_kg = end_kg - 1",
        "update budget_slice set unpromised_fen = unpromised_fen + 1 where slice = 0",
    ],
    ids=["a holding", "an end", "a slice"],
)
def test_a_unit_or_a_fen_out_of_nothing_is_told(
    registry: Registry, batch: Batch, tampering: str
) -> None:
    with tampered(registry.db.url, tampering):
        assert close(registry) is False
    assert batch.quantity_kg == 12


def test_what_is_retired_and_voided_is_told_by_the_registry(
    registry: Registry, batch: Batch
) -> None:
    holder, retired = registry.operator.owner, SYSTEM_ACCOUNTS["retired"]
    move(registry, batch, holder, holder + 1, 3, Code.HOLD)
    move(registry, batch, holder + 1, retired, 3, Code.RETIRE)
    assert units(registry, batch) == UnitsOfBatch(12, 7, 0, 2, 0, 0, 0)
    assert close(registry) is False, "the ledger moved what no retirement tells of"
