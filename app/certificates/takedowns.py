"""What the desk took down (下架记录): public, so that no certificate changes silently.

A certificate says which text, why and when, and not what the words were. The list for anybody
counts them: it names no certificate, since nobody lists those of citizens.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver

PREFIX: Final = "cert"
_LAST: Final = (date.max, "", "")
_TAKEN: Final = """
select subject, name, reason, taken_down_on from claim_takedown where subject = %s order by name"""
_ALL_TAKEN: Final = """
select taken_down_on, name, reason, count(*) from claim_takedown
 where (taken_down_on, name, reason) < (%s, %s, %s)
 group by 1, 2, 3 order by 1 desc, 2 desc, 3 desc limit %s"""


class TakedownReason(StrEnum):
    """Why the desk took words down."""

    PERSONAL = "personal"
    """They name somebody who does not want it."""
    OFFENSIVE = "offensive"
    FALSE = "false"
    """They claim what is not so."""
    ORDERED = "ordered"
    """A court or an authority ordered it."""


REASONS: Final = {
    TakedownReason.PERSONAL: ("指名他人", "names somebody who does not want it"),
    TakedownReason.OFFENSIVE: ("内容不当", "offensive"),
    TakedownReason.FALSE: ("内容不实", "not true"),
    TakedownReason.ORDERED: ("依法要求", "ordered by law"),
}
NAMES: Final = {
    "holder": ("持有人", "holder"),
    "beneficiary": ("受益人", "beneficiary"),
    "message": ("寄语", "message"),
}
"""As people read them, in both languages."""


class Takedown(NamedTuple):
    """Words that the desk took down from a certificate (下架记录); it says not which."""

    subject: UUID
    name: str
    reason: TakedownReason
    on: date


class TakenDown(NamedTuple):
    """How many texts the desk took down on a day for one reason (下架统计)."""

    on: date
    name: str
    reason: TakedownReason
    texts: int


def takedowns_of(connection: Connection, certificate: UUID) -> Sequence[Takedown]:
    """Give what was taken down from one certificate."""
    return [_taken(*each) for each in connection.execute(_TAKEN, (certificate,))]


def takedowns(
    session: Session, *, before: tuple[date, str, str] | None, limit: int
) -> Sequence[TakenDown]:
    """Count what the desk took down, the newest day first."""
    rows = driver(session).execute(_ALL_TAKEN, (*(before or _LAST), limit))
    return [TakenDown(on, name, TakedownReason(reason), texts) for on, name, reason, texts in rows]


def _taken(subject: UUID, name: str, reason: str, on: date) -> Takedown:
    return Takedown(subject, name, TakedownReason(reason), on)
