"""Closing an epoch (关期): when it is due, and steps that a crash may interrupt anywhere."""

from datetime import datetime, time, timedelta
from typing import Final

from sqlmodel import Session

from app.anchoring.claiming import (
    BLOCKS_PER_CHUNK,
    claim_chunk,
    open_cut,
    queue_blocks,
    take_cut,
)
from app.anchoring.sealing import Contents, seal
from app.kernel.clock import SHANGHAI
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from ledger.header import Header

CLOSES_AT: Final = time(2, tzinfo=SHANGHAI)
ENTRIES_MAX: Final = 1_000_000
"""So many pending entries close an epoch before its hour; a trigger, not a limit (R22)."""

_PENDING = """
select (select max(closed_at) from epoch),
       (select count(*) from (select from log_pending limit %s) as p)"""


def close_epoch(db: Database, keys: Keys, contents: Contents, *, at: datetime) -> Header | None:
    """Close the current epoch, or finish the one that another worker left half closed.

    Commits a step at a time; run again after a crash it goes on where the last commit was.
    Two closers share the work without harm.

    Args:
        db: Connected as ``tanpu_worker``.
        keys: Opens the owners' secrets, from which salts are derived.
        contents: What the header says beside the entries.
        at: The instant of closing, for an epoch that begins to close now.

    Returns:
        The new header; ``None`` if there was nothing to close.

    Raises:
        PendingIncomplete: A row that an entry needs is gone.
    """
    cut = db.transact(take_cut, at=at)
    while cut is not None:
        for block in range(0, db.read(queue_blocks), BLOCKS_PER_CHUNK):
            db.transact(claim_chunk, keys, epoch=cut.epoch, block=block)
        if header := db.transact(seal, keys, contents, epoch=cut.epoch):
            return header
        still = db.read(_open_epoch)
        if still != cut.epoch:
            return db.read(header_of, cut.epoch)
    return None


def is_due(session: Session, *, at: datetime) -> bool:
    """Say whether an epoch should close: its hour has passed, it is full, or it was begun."""
    connection = driver(session)
    if open_cut(connection) is not None:
        return True
    closed_at, pending = connection.execute(_PENDING, (ENTRIES_MAX,)).fetchall()[0]
    if pending == 0:
        return False
    return pending >= ENTRIES_MAX or closed_at is None or closed_at < last_hour(at)


def last_hour(at: datetime) -> datetime:
    """Give the last closing hour before an instant.

    >>> last_hour(datetime(2026, 1, 2, 1, 59, tzinfo=SHANGHAI)).day
    1
    """
    local = at.astimezone(SHANGHAI)
    today = datetime.combine(local.date(), CLOSES_AT)
    return today if today <= local else today - timedelta(days=1)


def header_of(session: Session, epoch: int) -> Header:
    """Give an epoch's header, from the database.

    Raises:
        LookupError: There is no such epoch.
    """
    row = driver(session).execute("select header from epoch where epoch = %s", (epoch,)).fetchone()
    if row is None:
        raise LookupError(epoch)
    return Header.of(row[0])


def last_epoch(session: Session) -> int:
    """Give the number of the last closed epoch, 0 before the first."""
    row = driver(session).execute("select coalesce(max(epoch), 0) from epoch").fetchone()
    return int(row[0]) if row else 0


def _open_epoch(session: Session) -> int | None:
    cut = open_cut(driver(session))
    return cut.epoch if cut else None
