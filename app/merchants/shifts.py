"""Shifts (班次): a till works for twelve hours at most after a person opened it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.merchants.errors import ShiftUnknown, TillClosed
from app.staff.errors import LoginRefused

LONGEST: Final = timedelta(hours=12)
"""A working day; whoever stays longer shows themselves again."""

_USABLE: Final = """
select t.merchant from till t join merchant m on m.id = t.merchant
 where t.id = %s and t.revoked_at is null and m.suspended_at is null
   for update of t for share of m"""
_KEEPS: Final = """
select from merchant_user
 where id = %s and merchant = %s and suspended_at is null for share"""
_OPEN: Final = "update till set shift = %s, keeper = %s, shift_ends_at = %s where id = %s"
_END: Final = """
update till set shift = null, keeper = null, shift_ends_at = null where id = %s and shift = %s"""


def open_shift(
    session: Session, till: UUID, keeper: UUID, *, shift: UUID, at: datetime
) -> datetime:
    """Open a shift in place of any that is open; gives when it ends by itself.

    Raises:
        TillClosed: The till is revoked, or its merchant suspended.
        LoginRefused: The keeper is not one of the till's merchant.
    """
    connection, ends_at = driver(session), at + LONGEST
    usable = connection.execute(_USABLE, (till,)).fetchone()
    if usable is None:
        raise TillClosed
    # Locked, so that a suspension that comes meanwhile waits, and then ends this shift too.
    if connection.execute(_KEEPS, (keeper, *usable)).fetchone() is None:
        raise LoginRefused
    connection.execute(_OPEN, (shift, keeper, ends_at, till))
    return ends_at


def end_shift(session: Session, till: UUID, shift: UUID | None) -> None:
    """End the shift that is open at a till.

    Raises:
        ShiftUnknown: It is another, or none: a request that somebody recorded ends no later one.
    """
    if driver(session).execute(_END, (till, shift)).rowcount == 0:
        raise ShiftUnknown
