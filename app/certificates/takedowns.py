"""What the desk took down (下架记录): public, so that no certificate changes silently.

It says of which certificate, which text, why and when, and not what the words were.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.ids import public_id

PREFIX: Final = "cert"
_LAST: Final = (date.max, UUID(int=2**128 - 1), "")
_TAKEN: Final = """
select subject, name, reason, taken_down_on from claim_takedown where subject = %s order by name"""
_ALL_TAKEN: Final = """
select subject, name, reason, taken_down_on from claim_takedown
 where (taken_down_on, subject, name) < (%s, %s, %s)
 order by taken_down_on desc, subject desc, name desc limit %s"""


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

    @property
    def public(self) -> str:
        """The certificate's public id."""
        return public_id(PREFIX, self.subject)


def takedowns_of(connection: Connection, certificate: UUID) -> Sequence[Takedown]:
    """Give what was taken down from one certificate."""
    return [_taken(*each) for each in connection.execute(_TAKEN, (certificate,))]


def takedowns(
    session: Session, *, before: tuple[date, UUID, str] | None, limit: int
) -> Sequence[Takedown]:
    """List what the desk took down, the newest first."""
    rows = driver(session).execute(_ALL_TAKEN, (*(before or _LAST), limit))
    return [_taken(*each) for each in rows]


def _taken(subject: UUID, name: str, reason: str, on: date) -> Takedown:
    return Takedown(subject, name, TakedownReason(reason), on)
