"""Posting cancellations that are due (执行注销): each in a transaction of its own, exactly once.

The ids of its transfers were fixed with the request, and its row says that it was posted: a worker
that dies leaves it to the next one. What its owner has exchanged, given or lost to a correction
meanwhile counts as gone: then all of it is reverted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.cancellations.queries import (
    COLUMNS,
    CancellationRow,
    CancelledPart,
    parts_of,
    row_of,
)
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.quantities import mass
from app.notices import Notice, NoticeKind, notify
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import day_number
from ledger.certificate import Claim, ClaimPart, claim_commit
from ledger.chart import Code
from ledger.receipt import Json

CANCELLED: Final = SYSTEM_ACCOUNTS["cancelled"]
AT_ONCE: Final = 500
_BUCKETS: Final = """
select distinct bucket from cancellation
 where reverted_at is null and posted_at is null and due_at <= %s order by bucket"""
_DUE: Final = """
select account, id from cancellation
 where bucket = %s and reverted_at is null and posted_at is null and due_at <= %s
 order by due_at, account, id limit %s"""
_LOCK: Final = f"""
select {COLUMNS} from cancellation
 where bucket = %s and account = %s and id = %s and reverted_at is null and posted_at is null
   and due_at <= %s for update"""  # noqa: S608 -- columns of our own
_ENOUGH: Final = """
select b.asset, b.credits - b.debits from balance b
 where b.bucket = %s and b.account = %s and b.asset = any(%s) order by b.asset for update of b"""
_POSTED: Final = """
update cancellation set posted_at = %s, posted_on = %s
 where bucket = %s and account = %s and id = %s"""
_REVERTED: Final = """
update cancellation set reverted_at = %s, reason = 'balance'
 where bucket = %s and account = %s and id = %s"""


def post_due(db: Database, *, at: datetime) -> int:
    """Post what is due; gives how many ended, posted or reverted. Runs as the worker; resumable."""
    ended = 0
    for bucket in db.read(_buckets, at):
        while due := db.read(_due, bucket, at):
            ended += sum(
                db.transact(post_cancellation, *each, notice=new_id(), at=at) for each in due
            )
    return ended


def post_cancellation(
    session: Session, owner: int, cancellation: UUID, *, notice: UUID, at: datetime
) -> bool:
    """Post one that is due, or revert it where its grams are gone; says whether it did either."""
    connection, place = driver(session), (bucket_of(owner), owner)
    found = connection.execute(_LOCK, (*place, cancellation, at)).fetchone()
    if found is None:
        return False
    row, parts = row_of(*found), parts_of(connection, owner, [cancellation])[cancellation]
    assets = [part.asset for part in parts]
    held: dict[int, int] = dict(connection.execute(_ENOUGH, (*place, assets)).fetchall())
    if any(held.get(part.asset, 0) < part.mg for part in parts):
        connection.execute(_REVERTED, (at, *place, cancellation))
        notify(connection, [told_of(NoticeKind.CANCELLATION_REVERTED, owner, row, notice, at)])
        return True
    today = day_of(at)
    claim = claim_of(row._replace(posted_on=today), parts)
    post(
        connection,
        [
            Row(
                *(place[0], today, part.transfer, owner, CANCELLED, part.asset, part.mg),
                *(int(Code.CANCEL), cancellation, today),
                evidence=claim_commit(part.salt, claim),
            )
            for part in parts
        ],
    )
    connection.execute(_POSTED, (at, today, *place, cancellation))
    return True


def told_of(
    kind: NoticeKind, owner: int, row: CancellationRow, notice: UUID, at: datetime
) -> Notice:
    """Write a notice of what became of a cancellation."""
    facts = {"co2e": mass(row.mg).co2e}
    return Notice(bucket_of(owner), owner, notice, kind, row.public, facts, at)


def claim_of(row: CancellationRow, parts: Sequence[CancelledPart]) -> Json:
    """Write what the certificate of a posted cancellation says."""
    assert row.posted_on is not None, row
    return Claim(
        kind="reduction",
        subject=row.public,
        parts=[ClaimPart(part.of, part.mg) for part in parts],
        purpose=row.purpose,
        period=row.period,
        day=day_number(row.posted_on),
        holder_commit=row.holder_commit,
        beneficiary_commit=row.beneficiary_commit,
        message_commit=row.message_commit,
    ).to_json()


def _buckets(session: Session, at: datetime) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS, (at,))]


def _due(session: Session, bucket: int, at: datetime) -> list[tuple[int, UUID]]:
    return driver(session).execute(_DUE, (bucket, at, AT_ONCE)).fetchall()
