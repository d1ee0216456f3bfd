"""Expiry (过期): points past their date leave their citizens, bucket by bucket (R5).

Past its date a class is unspendable whatever this job has done; the job makes the books say so and
lets the earmark return. Held points are left: they may be captured within their time, and go at
the next run if they are released.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from app.points.debts import NewId
from app.points.earmarks import set_due
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

EXPIRED: Final = SYSTEM_ACCOUNTS["expired"]
_PAST: Final = "select id from asset where id & 7 = 3 and expires < %s order by id"
# A citizen's own account: the low bits of the id are kind 1 and not held (app/books/places.py).
_BUCKETS: Final = """
select distinct bucket from balance
 where asset = any(%s) and asset & 7 = 3 and credits > debits and account & 31 = 2
 order by bucket"""
_LEFT: Final = """
select account, asset, credits - debits from balance
 where bucket = %s and asset = any(%s) and asset & 7 = 3 and credits > debits
   and account & 31 = 2
 order by bucket, account, asset for update"""
_OWN: Final = """
select account, asset, credits - debits from balance
 where bucket = %s and account = %s and asset & 7 = 3 and credits > debits
 order by bucket, account, asset for update"""


def expire(db: Database, *, at: datetime) -> int:
    """Let points past their date expire; gives how many. Resumable."""
    today = day_of(at)
    assets = db.read(_past, today)
    points = 0
    for bucket in db.read(_buckets, assets) if assets else ():
        points += db.transact(_expire_bucket, bucket, assets, today, cause=new_id(), ids=new_id)
    return points


def expire_all(
    connection: Connection, owner: int, *, cause: UUID, today: date, new_id: NewId
) -> int:
    """Let everything that an owner can spend expire, and post it: who leaves leaves them (R20)."""
    bucket = bucket_of(owner)
    left = connection.execute(_OWN, (bucket, owner)).fetchall()
    return _post(connection, bucket, left, cause=cause, today=today, ids=new_id)


def _past(session: Session, today: date) -> list[int]:
    return [row[0] for row in driver(session).execute(_PAST, (today,))]


def _buckets(session: Session, assets: list[int]) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS, (assets,))]


def _expire_bucket(
    session: Session, bucket: int, assets: list[int], today: date, *, cause: UUID, ids: NewId
) -> int:
    connection = driver(session)
    left = connection.execute(_LEFT, (bucket, assets)).fetchall()
    return _post(connection, bucket, left, cause=cause, today=today, ids=ids)


def _post(
    connection: Connection,
    bucket: int,
    left: Iterable[tuple[int, int, int]],
    *,
    cause: UUID,
    today: date,
    ids: NewId,
) -> int:
    code = int(Code.EXPIRE)
    rows = [
        Row(bucket, today, ids(), owner, EXPIRED, asset, points, code, cause, today)
        for owner, asset, points in left
    ]
    set_due(connection, rows)
    post(connection, rows)
    return sum(row.amount for row in rows)
