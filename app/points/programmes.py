"""Programmes (积分计划): who pays for points, at which rates, and for which behaviours.

Reference rows, few. A programme's terms begin on a day and are ended by the next ones, never
rewritten: an exchange keeps the rate that it was made at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, LiteralString, NamedTuple

from psycopg import errors as db_errors
from sqlmodel import Session

from app.books import open_owners
from app.catalogue import VersionUnknown, document_of
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from app.points.earmarks import open_slices
from app.points.errors import ProgrammeTaken, ProgrammeUnknown, TermsInPast, TermsOverlap
from app.points.rules import expiry_of
from ledger.accounts import AccountKind
from ledger.assets import Points

MG_PER_POINT: Final = 10_000
"""A point for ten grams, of grades A and B, unless a programme says otherwise (domain.md §5)."""
GRADES: Final = ("A", "B")
_COLUMNS: Final = (
    "id, code, name_zh, name_en, note, budget, fen_per_point, expiry_years,"
    " pause_below_permille, refuse_below_permille, opened_at"
)
_OPEN: Final = """
insert into programme (code, name_zh, name_en, note, budget, fen_per_point, expiry_years,
                       pause_below_permille, refuse_below_permille, opened_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (code) do nothing returning id"""
_FIND: Final = f"select {_COLUMNS} from programme where code = %s"  # noqa: S608 -- a constant
_ALL: Final = f"select {_COLUMNS} from programme order by id"  # noqa: S608 -- a constant
_END_RATE: Final = """
update exchange_rate set valid_to = %(from)s
 where programme = %(programme)s and grade = %(grade)s and field is not distinct from %(field)s
   and from_mg = %(from_mg)s and valid_to is null and valid_from <= %(from)s"""
_RATE: Final = """
insert into exchange_rate (programme, grade, field, mg_per_point, valid_from, from_mg)
values (%(programme)s, %(grade)s, %(field)s, %(mg_per_point)s, %(from)s, %(from_mg)s)"""
_RATES: Final = """
select grade, field, mg_per_point, valid_from, valid_to, from_mg from exchange_rate
 where programme = %s order by valid_from, grade, field nulls first, from_mg"""
_END_REWARD: Final = """
update behaviour_reward set valid_to = %(from)s
 where programme = %(programme)s and methodology = %(methodology)s and valid_to is null
   and valid_from <= %(from)s"""
_REWARD: Final = """
insert into behaviour_reward (programme, methodology, points, person_day_points,
                              budget_day_points, valid_from)
values (%(programme)s, %(methodology)s, %(points)s, %(person_day_points)s,
        %(budget_day_points)s, %(from)s)"""
_REWARDS: Final = """
select methodology, points, person_day_points, budget_day_points, valid_from, valid_to
  from behaviour_reward where programme = %s order by valid_from, methodology"""


@dataclass(frozen=True, slots=True)
class NewProgramme:
    """What opens a programme."""

    code: str
    name_zh: str
    name_en: str
    note: str = ""
    fen_per_point: int = 1
    expiry_years: int = 1
    pause_below_permille: int = 1050
    refuse_below_permille: int = 1000


@dataclass(frozen=True, slots=True)
class Programme:
    """Who pays for points."""

    id: int
    code: str
    name_zh: str
    name_en: str
    note: str
    budget: int
    """The owner in the books that holds its funds."""
    fen_per_point: int
    expiry_years: int
    pause_below_permille: int
    refuse_below_permille: int
    opened_at: datetime

    def points_earned(self, day: date) -> Points:
        """Give the class of points that are earned on a day."""
        return Points(self.code, expiry_of(day, self.expiry_years), self.fen_per_point)


class Rate(NamedTuple):
    """How many milligrams a point takes, from one day until another."""

    grade: str
    field: str | None
    """Of the methodology; None for any field that has no rate of its own."""
    mg_per_point: int
    valid_from: date
    valid_to: date | None = None
    from_mg: int = 0
    """A tier: for whoever exchanged at least so much of the programme in the month before [mg]."""

    def holds_on(self, day: date) -> bool:
        """Whether it applies on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class Reward(NamedTuple):
    """What an act of grade C earns, from one day of acts until another."""

    methodology: str
    points: int
    person_day_points: int | None
    budget_day_points: int | None
    valid_from: date
    valid_to: date | None = None


def open_programme(session: Session, keys: Keys, new: NewProgramme, *, at: datetime) -> Programme:
    """Open a programme with an empty budget and the default rates.

    Raises:
        ProgrammeTaken: Its code is in use.
    """
    connection = driver(session)
    (budget,) = open_owners(connection, keys, AccountKind.BUDGET, 1, at=at)
    facts = (
        *(new.code, new.name_zh, new.name_en, new.note, budget, new.fen_per_point),
        *(new.expiry_years, new.pause_below_permille, new.refuse_below_permille, at),
    )
    row = connection.execute(_OPEN, facts).fetchone()
    if row is None:
        raise ProgrammeTaken(programme=new.code)
    open_slices(connection, row[0])
    made = find_programme(session, new.code)
    today = day_of(at)
    for grade in GRADES:
        set_rate(session, made, Rate(grade, None, MG_PER_POINT, today), today=today)
    return made


def find_programme(session: Session, code: str | None) -> Programme:
    """Find a programme by its code; without one, the first that this city opened.

    Raises:
        ProgrammeUnknown: There is none.
    """
    connection = driver(session)
    found = connection.execute(_ALL) if code is None else connection.execute(_FIND, (code,))
    row = found.fetchone()
    if row is None:
        raise ProgrammeUnknown(programme=code or "")
    return Programme(*row)


def programmes(connection: Connection) -> dict[int, Programme]:
    """Give every programme by its id, in the order in which they were opened."""
    return {row[0]: Programme(*row) for row in connection.execute(_ALL)}


def set_rate(session: Session, programme: Programme, rate: Rate, *, today: date) -> None:
    """Let a rate hold from a day on; it ends the one that held for the same grade and field.

    Raises:
        TermsInPast, TermsOverlap: See their own words.
    """
    facts = {**rate._asdict(), "programme": programme.id}
    _begin(driver(session), (_END_RATE, _RATE), facts, rate.valid_from, today)


def set_reward(session: Session, programme: Programme, reward: Reward, *, today: date) -> None:
    """Let a behaviour earn points from a day of acts on; it ends what held before.

    Raises:
        TermsInPast, TermsOverlap: See their own words.
    """
    facts = {**reward._asdict(), "programme": programme.id}
    _begin(driver(session), (_END_REWARD, _REWARD), facts, reward.valid_from, today)


def rates_of(connection: Connection, programme: int) -> list[Rate]:
    """Give every rate of a programme, ended ones too."""
    return [Rate(*row) for row in connection.execute(_RATES, (programme,))]


def rewards_of(connection: Connection, programme: int) -> list[Reward]:
    """Give every reward of a programme, ended ones too."""
    return [Reward(*row) for row in connection.execute(_REWARDS, (programme,))]


def rate_for(
    rates: Sequence[Rate], grade: str, field: str | None, day: date, before_mg: int = 0
) -> int | None:
    """Give what a point takes of a grade and field on a day [mg].

    A field's own rate goes first, then the highest tier that ``before_mg``, exchanged in the month
    before, reaches.

    >>> any_field = Rate("A", None, 10_000, date(2026, 1, 1))
    >>> travel = Rate("A", "green_travel", 5_000, date(2026, 1, 1))
    >>> rate_for([any_field, travel], "A", "green_travel", date(2026, 6, 1))
    5000
    >>> rate_for([any_field, travel], "A", "other", date(2026, 6, 1))
    10000
    """
    holding = [
        rate
        for rate in rates
        if rate.grade == grade and rate.field in {field, None} and rate.holds_on(day)
        if rate.from_mg <= before_mg
    ]
    found = max(holding, key=lambda rate: (rate.field is not None, rate.from_mg), default=None)
    return None if found is None else found.mg_per_point


def least_rate(rates: Sequence[Rate], grade: str, field: str | None, day: date) -> int | None:
    """Give the least that a point takes of anybody [mg].

    >>> day = date(2026, 6, 1)
    >>> tiers = [Rate("A", None, mg, day, from_mg=mark) for mark, mg in ((0, 9_000), (500, 8_000))]
    >>> [rate_for(tiers, "A", None, day, before) for before in (0, 499, 500)]
    [9000, 9000, 8000]
    >>> least_rate(tiers, "A", None, day)
    8000
    """
    marks = {0, *(rate.from_mg for rate in rates)}
    asked = [mg for mark in marks if (mg := rate_for(rates, grade, field, day, mark))]
    return min(asked, default=None)


def field_of(session: Session, methodology: str, version: int) -> str | None:
    """Give the field of a methodology version; none of one that no library has."""
    try:
        return document_of(session, methodology, version).field.value
    except VersionUnknown:
        return None


def _begin(
    connection: Connection,
    statements: tuple[LiteralString, LiteralString],
    facts: Mapping[str, object],
    first: date,
    today: date,
) -> None:
    """End what holds on the first day, and begin what holds from then on."""
    if first < today:
        raise TermsInPast
    try:
        for statement in statements:
            connection.execute(statement, {**facts, "from": first})
    except db_errors.ExclusionViolation as error:
        raise TermsOverlap from error
