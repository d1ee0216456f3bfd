"""Receipts and public files: true for a stranger, the same after a loss, silent on persons."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.anchoring import Guard, Notary
from app.anchoring.errors import DatabaseRolledBack, Equivocation, NotAnchored
from app.anchoring.guard import Mark
from app.kernel.db import Database
from app.kernel.secrets import Keys
from ledger import verify_receipt
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Points
from ledger.chart import Code
from ledger.checkpoint import open_note
from ledger.header import Header, anchor_leaf
from ledger.log import tree_hash
from ledger.tiles import Tile, tile_path
from ledger.verify_receipt import Rejected
from tests.support.anchoring import (
    ORIGIN,
    accruals,
    at,
    notary_over,
    post_all,
    receipt,
    rows_of,
    verify,
)
from tests.support.chain import MemoryChain, other
from tests.support.owners import BUS, DAY, accrual, asset_number, owners, row


@pytest.fixture
def notary(worker_db: Database, keys: Keys, tmp_path: Path) -> Notary:
    return notary_over(worker_db, keys, tmp_path)


@pytest.fixture
def chain() -> MemoryChain:
    return MemoryChain()


def anchored(notary: Notary, chain: MemoryChain, hour: int) -> Header:
    header = notary.close(at=at(hour))
    assert header is not None
    notary.publish()
    assert notary.submit(chain, at=at(hour)).waiting == 0
    return header


def busy_owner(db: Database, keys: Keys) -> int:
    """An owner with every kind of entry: in, out, held, corrected."""
    (one,) = owners(db, keys, 1)
    bus, points = asset_number(db, BUS), asset_number(db, Points("green", DAY, 1))
    base = accrual(one, bus, 70)
    undone = row(Code.CORRECT, one, SYSTEM_ACCOUNTS["correction"], bus, 20)
    post_all(
        db,
        [
            base,
            undone._replace(corrects=base.id, corrects_on=base.recorded_on),
            row(Code.GRANT_EXCHANGE, SYSTEM_ACCOUNTS["issuance/points"], one, points, 50),
            row(Code.HOLD, one, one + 1, points, 20),
            row(Code.REDEEM, one + 1, SYSTEM_ACCOUNTS["redeemed"], points, 20),
        ],
    )
    return one


def test_a_receipt_with_every_kind_of_entry_is_true(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys
) -> None:
    one = busy_owner(db, keys)
    accruals(db, keys, 200)
    anchored(notary, chain, 0)
    document = receipt(notary, db, one)
    assert verify(notary, document).endswith("5 entries, epoch 1")
    assert document["account"]["sums"] == ["70", "20", "50", "20"]
    assert receipt(notary, db, one + 1) == document


def test_it_is_true_for_every_epoch_and_goes_on_from_an_earlier_one(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys
) -> None:
    one = busy_owner(db, keys)
    accruals(db, keys, 300)
    anchored(notary, chain, 0)
    accruals(db, keys, 5)
    anchored(notary, chain, 1)
    post_all(db, [accrual(one, asset_number(db, BUS), 9)])
    accruals(db, keys, 2)
    anchored(notary, chain, 2)
    first, last = receipt(notary, db, one, epoch=1), receipt(notary, db, one)
    for document in (first, receipt(notary, db, one, epoch=2), last):
        assert verify(notary, document).startswith("true")
    assert first["account"]["ver"] == receipt(notary, db, one, epoch=2)["account"]["ver"] == 1
    delta = receipt(notary, db, one, since=1)
    assert len(delta["entries"]) == 1
    assert verify(notary, delta, first).startswith("true")


def test_a_receipt_waits_for_the_chain(notary: Notary, db: Database, keys: Keys) -> None:
    (one,) = accruals(db, keys, 1)
    notary.close(at=at(0))
    notary.publish()
    document = receipt(notary, db, one)
    assert document["chain"] is None
    with pytest.raises(Rejected, match="pending"):
        verify_receipt.check(document, lambda _epoch, _chain: bytes(32))


def test_a_stranger_verifies_it_with_the_standard_library_alone(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys, tmp_path: Path
) -> None:
    (one, _) = accruals(db, keys, 2)
    anchored(notary, chain, 0)
    paper = tmp_path / "receipt.json"
    paper.write_text(json.dumps(receipt(notary, db, one)))
    script = Path(verify_receipt.__file__)
    command = [sys.executable, "-I", "-S", str(script), str(paper)]
    command += ["--headers", str(notary.folder / "headers.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:4]) == (0, "true")


def test_an_owner_without_an_entry_has_no_receipt(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys
) -> None:
    (stranger,) = owners(db, keys, 1)
    accruals(db, keys, 1)
    with pytest.raises(NotAnchored):
        receipt(notary, db, stranger)
    anchored(notary, chain, 0)
    for which in ({}, {"epoch": 7}, {"epoch": 0}, {"since": 2}):
        with pytest.raises(NotAnchored):
            receipt(notary, db, stranger, **which)


def test_nothing_that_leaves_names_a_person_or_a_secret(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys
) -> None:
    made = accruals(db, keys, 3)
    anchored(notary, chain, 0)
    secrets = [
        (akey, keys.open(sealed, owner=owner))
        for owner, akey, sealed in rows_of(
            db, "select account, akey, sealed from account join account_secret on account = id"
        )
    ]
    public = b"".join(path.read_bytes() for path in notary.folder.rglob("*") if path.is_file())
    public += b"".join(block.raw or b"" for block in chain.blocks)
    document = json.dumps(receipt(notary, db, made[0])).encode()
    for akey, secret in secrets:
        for hidden in (akey, secret):
            assert hidden not in public
            assert hidden.hex().encode() not in public
        assert secret.hex().encode() not in document
    assert [akey.hex().encode() in document for akey, _ in secrets].count(True) == 1


def test_lost_files_come_back_the_same_and_receipts_do_without_them(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys
) -> None:
    (one, *_) = accruals(db, keys, 300)
    anchored(notary, chain, 0)
    accruals(db, keys, 300)
    anchored(notary, chain, 1)
    before = {path: path.read_bytes() for path in notary.folder.rglob("*") if path.is_file()}
    full = Tile(0, 0)
    assert notary.folder / "log" / tile_path(full) in before
    document = receipt(notary, db, one)
    headers = (notary.folder / "headers.jsonl").read_bytes()
    shutil.rmtree(notary.folder)
    assert receipt(notary, db, one) == document
    assert notary.publish() == 2
    notary.submit(chain, at=at(3))
    after = {path: path.read_bytes() for path in notary.folder.rglob("*") if path.is_file()}
    assert (after, (notary.folder / "headers.jsonl").read_bytes()) == (before, headers)


def test_the_checkpoint_is_signed_over_the_headers(
    notary: Notary, chain: MemoryChain, db: Database, keys: Keys
) -> None:
    headers: list[Header] = []
    for hour in range(3):
        accruals(db, keys, 1)
        headers.append(anchored(notary, chain, hour))
    public = keys.log.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def is_signed(signature: bytes, message: bytes) -> bool:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True

    note = (notary.folder / "checkpoint").read_text()
    checkpoint = open_note(note, ORIGIN, public, is_signed)
    leaves = [anchor_leaf(header.to_bytes()) for header in headers]
    assert (checkpoint.size, checkpoint.root) == (3, tree_hash(leaves))
    assert (notary.folder / "tile/0/000.p/3").read_bytes() == b"".join(leaves)


def test_the_guard_moves_one_link_at_a_time_and_never_back(
    notary: Notary, db: Database, keys: Keys, tmp_path: Path
) -> None:
    headers: dict[int, Header] = {}
    for hour in range(3):
        accruals(db, keys, 1)
        made = notary.close(at=at(hour))
        assert made is not None
        headers[made.epoch] = made
    guard = Guard(tmp_path / "another" / "guard")
    guard.admit(headers[2], headers.__getitem__, 3)
    assert guard.read() == Mark(2, headers[2].hash())
    guard.admit(headers[1], headers.__getitem__, 3)
    assert guard.read() == Mark(2, headers[2].hash())
    with pytest.raises(Equivocation):
        guard.admit(headers[3], {**headers, 2: other(headers[2])}.__getitem__, 3)
    other_history = Guard(tmp_path / "third" / "guard")
    with pytest.raises(Equivocation):
        other_history.admit(headers[2], {**headers, 1: other(headers[1])}.__getitem__, 3)
    with pytest.raises(DatabaseRolledBack):
        guard.admit(headers[1], headers.__getitem__, 1)
    guard.admit(headers[3], headers.__getitem__, 3)
    assert guard.read() == Mark(3, headers[3].hash())
