"""Public cancellations (公益注销): causes that reductions are given to; the desk opens them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.benefit.errors import CancellationMalformed, CancellationUnknown
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.staff import note_act

PREFIX: Final = "pca"
DAYS_MAX: Final = 366
_COLUMNS: Final = (
    "id, title_zh, title_en, purpose_zh, purpose_en, organiser, starts_on, ends_on, opened_at"
)
_OPEN: Final = f"""
insert into public_cancellation ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 -- a constant
_ONE: Final = f"select {_COLUMNS} from public_cancellation where id = %s"  # noqa: S608 -- a constant
_PAGE: Final = f"""
select {_COLUMNS} from public_cancellation where id < %s order by id desc limit %s"""  # noqa: S608 -- a constant
_TOTALS: Final = """
select grade, persons, mg, counted_on from cancellation_total
 where cancellation = %s order by grade"""


class NewCancellation(NamedTuple):
    """What the desk opens."""

    title_zh: str
    title_en: str
    purpose_zh: str
    purpose_en: str
    organiser: str
    starts_on: date
    ends_on: date


class PublicCancellation(NamedTuple):
    """A named cause; its id is the cause of every transfer that joins it."""

    id: UUID
    title_zh: str
    title_en: str
    purpose_zh: str
    purpose_en: str
    organiser: str
    starts_on: date
    ends_on: date
    opened_at: datetime


class Total(NamedTuple):
    """What was given in one grade, as far as a crowd has joined."""

    grade: str
    persons: int
    mg: int
    """Less what corrections took back."""
    counted_on: date
    """The last night that it includes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A public cancellation as anybody may see it."""

    cancellation: PublicCancellation
    totals: list[Total]


def open_cancellation(
    session: Session, who: Principal, new: NewCancellation, *, cancellation: UUID, at: datetime
) -> PublicCancellation:
    """Open a public cancellation, and note who did.

    Raises:
        CancellationMalformed: Its days are not in order, or too many.
    """
    if not new.starts_on <= new.ends_on <= new.starts_on + timedelta(days=DAYS_MAX):
        raise CancellationMalformed
    driver(session).execute(_OPEN, (cancellation, *new, at))
    name = public_id(PREFIX, cancellation)
    note_act(session, who.name, "cancellations.open", name, at=at, title=new.title_en)
    return PublicCancellation(cancellation, *new, at)


def find_cancellation(session: Session, cancellation: UUID | None) -> PublicCancellation:
    """Find one by its id.

    Raises:
        CancellationUnknown: There is none.
    """
    row = driver(session).execute(_ONE, (cancellation,)).fetchone()
    if row is None:
        raise CancellationUnknown
    return PublicCancellation(*row)


def shown_of(session: Session, cancellation: UUID | None) -> Shown:
    """Give one with its totals.

    Raises:
        CancellationUnknown: There is none.
    """
    return _with_totals(driver(session), find_cancellation(session, cancellation))


def cancellations(session: Session, *, before: UUID, limit: int) -> list[Shown]:
    """List them with their totals, the newest first."""
    connection = driver(session)
    found = connection.execute(_PAGE, (before, limit)).fetchall()
    return [_with_totals(connection, PublicCancellation(*row)) for row in found]


def _with_totals(connection: Connection, found: PublicCancellation) -> Shown:
    return Shown(found, [Total(*row) for row in connection.execute(_TOTALS, (found.id,))])
