"""Gatherings as the ledger has them (大型活动): who holds one, how large, where, until when.

Opening one opens its owner in the books, who will hold the units that make it neutral. Its size,
dates and place may change until it starts, and it is classified again; afterwards they stand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import UUID

from sqlmodel import Session

from app.books import open_owners
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.neutrality.gathering_errors import (
    DatesInvalid,
    DistrictUnknown,
    GatheringStarted,
    GatheringUnknown,
    SizeMissing,
)
from app.neutrality.thresholds import (
    GatheringKind,
    Size,
    is_voluntary,
    missing_measures,
    policy_of,
    province_of,
)
from ledger.accounts import AccountKind, bucket_of

PREFIX: Final = "gth"
LENGTH_MAX: Final = timedelta(days=366)
TOLD_WITHIN: Final = timedelta(days=365)
"""After its end."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What comes together where and when, as its organiser tells it."""

    kind: GatheringKind
    title_zh: str
    title_en: str
    size: Size
    starts_on: date
    ends_on: date
    district: str
    """GB/T 2260 code of the district."""
    place: str


@dataclass(frozen=True, slots=True)
class Gathering:
    """A gathering that shall be carbon-neutral (大型活动)."""

    id: UUID
    owner: int
    """In the books, who holds its units."""
    organisation: UUID
    occasion: Occasion
    policy: str
    """Code of the thresholds that classified it."""
    is_voluntary: bool
    opened_at: datetime

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def bucket(self) -> int:
        """Where its rows lie."""
        return bucket_of(self.owner)

    @property
    def deadline(self) -> date:
        """Until when its emissions are to be made up for: a year after its end."""
        return a_year_after(self.occasion.ends_on)


_COLUMNS: Final = """
id, account, organisation, policy, is_voluntary, opened_at, kind, title_zh, title_en, people,
visits, area_m2, starts_on, ends_on, district, place"""
_STANDING: Final = 6
"""Columns before those of the occasion."""
_OPEN: Final = f"""
insert into gathering ({_COLUMNS})
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
returning {_COLUMNS}"""  # noqa: S608 -- columns of our own
_CHANGE: Final = f"""
update gathering
   set policy = %s, is_voluntary = %s, title_zh = %s, title_en = %s, people = %s, visits = %s,
       area_m2 = %s, starts_on = %s, ends_on = %s, district = %s, place = %s
 where id = %s and organisation = %s returning {_COLUMNS}"""  # noqa: S608 -- likewise
_FIND: Final = f"""
select {_COLUMNS} from gathering
 where id = %s and (%s::uuid is null or organisation = %s)"""  # noqa: S608 -- likewise
_LOCK: Final = f"{_FIND} for no key update"
_PIN: Final = f"{_FIND} for share"
_LIST: Final = f"""
select {_COLUMNS} from gathering
 where organisation = %s and (%s::uuid is null or id < %s) order by id desc limit %s"""  # noqa: S608 -- likewise


def open_gathering(
    session: Session,
    keys: Keys,
    gathering: UUID,
    organisation: UUID,
    occasion: Occasion,
    *,
    at: datetime,
) -> Gathering:
    """Open a gathering and its owner in the books, classified by the thresholds of its place.

    Raises:
        DatesInvalid, DistrictUnknown, SizeMissing: See their own words.
    """
    policy, voluntary = _classified(occasion, at)
    connection = driver(session)
    (owner,) = open_owners(connection, keys, AccountKind.GATHERING, 1, at=at)
    standing = (gathering, owner, organisation, policy, voluntary, at)
    row = connection.execute(_OPEN, (*standing, occasion.kind.value, *_told(occasion))).fetchone()
    assert row is not None, gathering
    return _gathering(*row)


def change_gathering(
    session: Session, was: Gathering, occasion: Occasion, *, at: datetime
) -> Gathering:
    """Tell a locked gathering anew, and classify it again; its kind stays.

    Raises:
        GatheringStarted, DatesInvalid, DistrictUnknown, SizeMissing: See their own words.
    """
    if day_of(at) >= was.occasion.starts_on:
        raise GatheringStarted
    assert occasion.kind is was.occasion.kind, was.id
    row = (*_classified(occasion, at), *_told(occasion), was.id, was.organisation)
    made = driver(session).execute(_CHANGE, row).fetchone()
    assert made is not None, was.id
    return _gathering(*made)


def find_gathering(
    session: Session, gathering: UUID | None, *, organisation: UUID | None
) -> Gathering:
    """Give a gathering; one of ``organisation``, where that is named.

    Raises:
        GatheringUnknown: There is none.
    """
    return _found(session, _FIND, gathering, organisation)


def lock_gathering(session: Session, gathering: UUID | None, *, organisation: UUID) -> Gathering:
    """Give an organisation's gathering, and keep it from being written to by another.

    Raises:
        GatheringUnknown: There is none.
    """
    return _found(session, _LOCK, gathering, organisation)


def pin_gathering(session: Session, gathering: UUID | None) -> Gathering:
    """Give anybody's gathering, and let whoever locks it wait; others may pin it meanwhile.

    Raises:
        GatheringUnknown: There is none.
    """
    return _found(session, _PIN, gathering, None)


def gatherings(
    session: Session, organisation: UUID, *, before: UUID | None, limit: int
) -> Sequence[Gathering]:
    """List an organisation's gatherings, the newest first."""
    rows = driver(session).execute(_LIST, (organisation, before, before, limit)).fetchall()
    return [_gathering(*row) for row in rows]


def a_year_after(day: date) -> date:
    """Give the same day of the next year; the 28th where that has no 29th of February.

    >>> a_year_after(date(2028, 2, 29)), a_year_after(date(2026, 11, 8))
    (datetime.date(2029, 2, 28), datetime.date(2027, 11, 8))
    """
    leaps = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if leaps else day.day)


def _classified(occasion: Occasion, at: datetime) -> tuple[str, bool]:
    """Name the thresholds in force at its place, and say whether it stays below them."""
    length = occasion.ends_on - occasion.starts_on
    if not timedelta() <= length <= LENGTH_MAX or occasion.ends_on < day_of(at) - TOLD_WITHIN:
        raise DatesInvalid
    if province_of(occasion.district) is None:
        raise DistrictUnknown
    policy = policy_of(occasion.district)
    missing = missing_measures(policy, occasion.kind, occasion.size)
    if missing:
        raise SizeMissing(missing=", ".join(missing))
    return policy.code, is_voluntary(policy, occasion.kind, occasion.size)


def _told(occasion: Occasion) -> tuple[object, ...]:
    size = occasion.size
    return (
        occasion.title_zh,
        occasion.title_en,
        size.people,
        size.visits,
        size.area_m2,
        occasion.starts_on,
        occasion.ends_on,
        occasion.district,
        occasion.place,
    )


def _found(
    session: Session, statement: LiteralString, gathering: UUID | None, organisation: UUID | None
) -> Gathering:
    asked = (gathering, organisation, organisation)
    row = None if gathering is None else driver(session).execute(statement, asked).fetchone()
    if row is None:
        raise GatheringUnknown
    return _gathering(*row)


def _gathering(*row: Any) -> Gathering:  # noqa: ANN401 -- the columns of the statements
    id_, owner, organisation, policy, voluntary, opened_at = row[:_STANDING]
    kind, title_zh, title_en, people, visits, area_m2, *where = row[_STANDING:]
    size = Size(people, visits, area_m2)
    occasion = Occasion(GatheringKind(kind), title_zh, title_en, size, *where)
    return Gathering(id_, owner, organisation, occasion, policy, voluntary, opened_at)
