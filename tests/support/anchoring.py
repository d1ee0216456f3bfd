"""A ledger with something to anchor, and a notary over it (存证测试)."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlmodel import Session

from app.anchoring import Finality, Guard, Notary, export_receipt
from app.books import Row, post
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from ledger.verify_receipt import check, mirrored
from tests.support.owners import BUS, accrual, asset_number, owners

AT = datetime(2026, 2, 1, 18, 0, tzinfo=UTC)
ORIGIN = "test.example/ledger/1"
METHODOLOGIES = {("TEST-BUS", 1): sha256(b"bus").digest()}
DAY = date(2026, 1, 15)
INSTANT = Finality(0)


def at(hours: int) -> datetime:
    """Give an instant after the first."""
    return AT + timedelta(hours=hours)


def notary_over(
    worker_db: Database, keys: Keys, folder: Path, finality: Finality = INSTANT
) -> Notary:
    """Make a notary with its files in a folder."""
    return Notary(
        db=worker_db,
        keys=keys,
        guard=Guard(folder / "guard" / "signer.guard"),
        folder=folder / "public",
        origin=ORIGIN,
        methodologies=METHODOLOGIES,
        finality=finality,
    )


def post_all(db: Database, rows: Sequence[Row]) -> None:
    """Post some rows in one transaction."""
    db.transact(lambda session: post(driver(session), rows))


def accruals(db: Database, keys: Keys, count: int = 3) -> list[int]:
    """Open some owners and give each a reduction."""
    made = owners(db, keys, count)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(owner, bus, 100 + at) for at, owner in enumerate(made)])
    return made


def rows_of(db: Database, query: str) -> list[tuple[Any, ...]]:
    """Run a query."""
    return db.read(lambda session: driver(session).execute(query.encode()).fetchall())


def receipt(notary: Notary, db: Database, owner: int, **which: int | None) -> dict[str, Any]:
    """Export a receipt as the application does."""

    def query(session: Session) -> dict[str, Any]:
        return export_receipt(session, notary.keys, notary.folder, ORIGIN, owner, **which)

    return db.read(query)


def verify(notary: Notary, document: dict[str, Any], previous: object = None) -> str:
    """Verify a receipt as a stranger does, from its JSON and the published list."""
    lines = (notary.folder / "headers.jsonl").read_text().splitlines()
    earlier = json.loads(json.dumps(previous)) if previous else None
    return check(json.loads(json.dumps(document)), mirrored(lines), earlier)
