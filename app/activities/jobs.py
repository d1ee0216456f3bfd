"""What the worker does for ingest (定时任务): forgetting whereabouts, and keys past their use.

Each is idempotent and in small transactions, so it may be broken off and begun again.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.settings import Settings

BUCKETS: Final = 1024
BUCKETS_AT_ONCE: Final = 64
KEY_RANGES: Final = 16
_WINDOWS: Final = """
delete from act_window where bucket between %s and %s and recorded_on < %s"""
_DAYS: Final = """
delete from accrual_day where bucket between %s and %s and day < %s"""
_PROVIDERS: Final = "select id from provider order by id"
_KEYS: Final = """
delete from activity_key where provider = %s and recorded_on < %s
   and external_hash >= %s and external_hash < %s"""


def purge(db: Database, settings: Settings, *, at: datetime) -> Mapping[str, int]:
    """Delete windows past the merge deadline, and keys and caps past the acceptance window.

    Runs as the worker. Returns the number of rows deleted by table.
    """
    today = day_of(at)
    open_from = today - timedelta(days=settings.merge_deadline_days)
    accepted_from = today - timedelta(days=settings.acceptance_window_days + 1)
    gone = {"act_window": 0, "accrual_day": 0, "activity_key": 0}
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        last = first + BUCKETS_AT_ONCE - 1
        gone["act_window"] += db.transact(_delete, _WINDOWS, first, last, open_from)
        gone["accrual_day"] += db.transact(_delete, _DAYS, first, last, accepted_from)
    for provider in db.read(_providers):
        for place in range(KEY_RANGES):
            low, high = bytes([place * 16]), bytes([place * 16 + 15]) + b"\xff" * 16
            gone["activity_key"] += db.transact(_delete, _KEYS, provider, accepted_from, low, high)
    return gone


def _delete(session: Session, statement: str, *facts: int | bytes | date) -> int:
    return driver(session).execute(statement.encode(), facts).rowcount


def _providers(session: Session) -> list[int]:
    return [row[0] for row in driver(session).execute(_PROVIDERS)]
