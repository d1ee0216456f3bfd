"""Reversing (冲正): within 15 minutes a redemption's points go back, in the classes they came from.

The till that redeemed does it at once. At another till, or from the console, one person asks and a
second one confirms; either may be first.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.once import KEPT
from app.mall.order_errors import refusal_of

_REVERSE: Final = """
select outcome, reversal, reversed_at, points
  from reverse_redemption(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""


class Reverser(NamedTuple):
    """Who asks: a till, or a person of a merchant; under which key, and for what request."""

    till: UUID | None
    person: UUID | None
    name: str
    """The public id of the till or the person."""
    key: str | None
    request: bytes | None


class Reversal(NamedTuple):
    """What came of it."""

    outcome: str
    """``reversed`` now, ``before``, or ``asked``: a second person has to confirm."""
    id: UUID | None
    reversed_at: datetime | None
    points: int


def reverse(
    db: Database, asked: Reverser, redemption: UUID, *, reversal: UUID, moved: UUID, at: datetime
) -> Reversal:
    """Reverse a redemption, or note that somebody asks for it.

    Raises:
        RedemptionUnknown, TooLate, TillClosed, IdempotencyKeyReused: See their own words.
    """
    facts = (redemption, *asked, reversal, moved, at, day_of(at), at + KEPT)
    row = db.call(_REVERSE, facts)
    if row[0] not in {"reversed", "before", "asked"}:
        raise refusal_of(row[0])
    return Reversal(*row)
