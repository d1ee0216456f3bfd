"""Closed classes (关闭的资产类别): nothing new comes to them, and their empty balances go (R8).

A class of reductions is closed once its month, a class of points once its last day lies before
everything that may still be told, merged or raised. What was posted stays, and a late credit makes
a row anew, which then knows nothing of what went before: so the audit holds a balance of a closed
class to its replay by its net.
"""

from datetime import date
from typing import Final

from sqlmodel import Session

from app.kernel.db import Database, driver

BUCKETS: Final = 1024
_CLOSE: Final = """
insert into closed_asset (asset, closed_on)
select id, %(today)s from asset
 where id & 7 in (1, 2) and (vintage + interval '1 month')::date <= %(before)s
    or id & 7 = 3 and expires < %(before)s
on conflict do nothing"""
_CLOSED: Final = "select asset from closed_asset order by asset"
_SWEEP: Final = """
delete from balance where bucket = %s and asset = any(%s) and credits = debits"""


def sweep_balances(db: Database, *, before: date, today: date) -> int:
    """Close what ended before a day, and delete the empty balances; gives how many went.

    A transaction a bucket, each idempotent: whoever was broken off begins anew and passes over
    what is done. A posting that is under way holds its rows, and they are looked at again after it.
    """
    db.transact(_close, before=before, today=today)
    closed = db.read(_closed)
    return sum(db.transact(_sweep, bucket, closed) for bucket in range(BUCKETS)) if closed else 0


def _close(session: Session, *, before: date, today: date) -> None:
    driver(session).execute(_CLOSE, {"before": before, "today": today})


def _closed(session: Session) -> list[int]:
    return [row[0] for row in driver(session).execute(_CLOSED)]


def _sweep(session: Session, bucket: int, closed: list[int]) -> int:
    return driver(session).execute(_SWEEP, (bucket, closed)).rowcount
