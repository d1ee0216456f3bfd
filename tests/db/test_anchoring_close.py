"""Closing an epoch on PostgreSQL: which rows are in it, and that the roots are the pure core's."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlmodel import Session

from app.anchoring.claiming import claim_chunk, take_cut
from app.anchoring.closing import close_epoch, is_due
from app.anchoring.errors import PendingIncomplete
from app.anchoring.sealing import Contents
from app.books import Row, post
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Points
from ledger.chart import Code
from tests.support.owners import BUS, DAY, accrual, asset_number, owners, row

AT = datetime(2026, 2, 1, 18, 0, tzinfo=UTC)
CONTENTS = Contents("test.example/ledger/1", {("TEST-BUS", 1): sha256(b"bus").digest()}, {})


def post_all(db: Database, rows: list[Row]) -> None:
    db.transact(lambda session: post(driver(session), rows))


def rows_of(db: Database, query: str) -> list[tuple]:
    return db.read(lambda session: driver(session).execute(query).fetchall())


def test_it_closes_what_is_pending_and_leaves_nothing(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    one, two = owners(db, keys, 2)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(one, bus, 70), accrual(two, bus, 5)])
    header = close_epoch(worker_db, keys, CONTENTS, at=AT)
    assert header is not None
    assert (header.epoch, header.log_size, header.account_count) == (1, 2, 2)
    assert header.sums == (75, 0, 0, 0)
    assert rows_of(worker_db, "select * from log_pending") == []
    assert close_epoch(worker_db, keys, CONTENTS, at=AT) is None
