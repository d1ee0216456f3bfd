"""How far a sandbox's clock is ahead of the wall's (沙箱时钟): the sum of its advances (R21).

Advances are rows of an append-only table, each above zero: the clock cannot go back. The months
that it reaches need partitions, which are made before it reaches them.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.problems import Refusal

MONTHS_AHEAD: Final = 3
AHEAD_MAX: Final = timedelta(days=730)
"""Partitions are made for at most three years ahead."""
_SHORTEST_MONTH: Final = 28
_AHEAD: Final = "select coalesce(sum(by), interval '0') from sandbox_advance"
_LOCK: Final = "select pg_advisory_xact_lock(hashtext('sandbox_advance'))"
_ADVANCE: Final = "insert into sandbox_advance (id, by, advanced_at) values (%s, %s, %s)"
_PARTITIONS: Final = "select ensure_partitions(%s)"


class SandboxTooFar(Refusal):
    """A sandbox's clock runs at most two years ahead; begin a new sandbox."""

    code = "sandbox.too_far"
    title_zh = "沙箱时钟最多超前两年，请新建沙箱"


def ahead(session: Session) -> timedelta:
    """Give how far the clock is ahead."""
    row = driver(session).execute(_AHEAD).fetchone()
    assert row is not None
    return row[0]


def advance(session: Session, by: timedelta, *, advance: UUID, wall: datetime) -> datetime:
    """Advance the clock; gives what it shows now.

    Raises:
        SandboxTooFar: It would be more than two years ahead.
    """
    connection = driver(session)
    connection.execute(_LOCK)
    reached = ahead(session) + by
    if reached > AHEAD_MAX:
        raise SandboxTooFar(days_max=AHEAD_MAX.days)
    connection.execute(_ADVANCE, (advance, by, wall))
    keep_months(session, reached)
    return wall + reached


def keep_months(session: Session, ahead_by: timedelta) -> None:
    """Make the coming months' partitions, as a clock sees them that is ahead of the database's."""
    months = MONTHS_AHEAD + -(-max(ahead_by, timedelta()).days // _SHORTEST_MONTH)
    driver(session).execute(_PARTITIONS, (months,))
