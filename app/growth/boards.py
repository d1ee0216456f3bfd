"""Leaderboards (排行榜): which there are, and what each comes to when it is read from rows.

People are on a board because they asked to be; teams because they are teams. Amounts are of acts
in the period, corrections taken off, as the books have them now.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.growth.errors import LeaderboardUnknown
from app.growth.published import GrowthDocument
from app.growth.reading import Library, library_of
from app.growth.rules import team_mean_mg
from app.growth.year import monday_of
from app.kernel.clock import SHANGHAI
from app.kernel.db import Connection, driver
from methodologies import Field

BUCKETS: Final = 1024
BUCKETS_AT_ONCE: Final = 64
ALL: Final = "all"
Span = Literal["week", "month"]
SPANS: Final[tuple[Span, ...]] = ("week", "month")
_ID: Final = re.compile(r"(week|month)\.([a-z_]{1,40})|team\.(week|month)")

_PEOPLE: Final = """
select e.account, (y.mg + coalesce(s.mg, 0))::int8
  from leaderboard_entrant e
  join lateral (
    select coalesce(sum(coalesce(t.amount, 0) + coalesce(c.mg, 0)), 0) as mg
      from activity a
      left join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
      left join lateral (select sum(h.amount_mg) as mg from act_change h
        where h.bucket = a.bucket and h.account = a.account and h.activity = a.id) c on true
     where a.bucket = e.bucket and a.account = e.account and a.recorded_on >= %(since)s
       and a.occurred_on between %(since)s and %(until)s and a.reason is null
       and (%(all)s or a.methodology = any(%(versions)s))) y on true
  left join lateral (
    select sum(m.reduction_mg + coalesce(c.mg, 0)) as mg
      from month_settlement m
      left join lateral (select sum(h.amount_mg) as mg from act_change h
        where h.bucket = m.bucket and h.account = m.account and h.activity = m.id) c on true
     where m.bucket = e.bucket and m.account = e.account
       and (m.month + interval '1 month')::date - 1 between %(since)s and %(until)s
       and (%(all)s or m.methodology = any(%(versions)s))) s on true
 where e.bucket between %(first)s and %(last)s and y.mg + coalesce(s.mg, 0) > 0"""
_TEAMS: Final = """
select p.team, count(*)::int, count(*) filter (where y.acts > 0 or s.mg > 0)::int,
       coalesce(sum(y.mg + coalesce(s.mg, 0)), 0)::int8
  from team_member p
  left join lateral (
    select count(*) filter (where m.counted is null and w.activity is null) as acts,
           coalesce(sum(coalesce(t.amount, 0) + coalesce(c.mg, 0)), 0) as mg
      from activity a
      left join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
      left join lateral (select sum(h.amount_mg) as mg from act_change h
        where h.bucket = a.bucket and h.account = a.account and h.activity = a.id) c on true
      left join lateral (select h.counted from act_merge h
        where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
        order by h.id desc limit 1) m on true
      left join lateral (select h.activity from act_correction h
        where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
          and h.is_withdrawn limit 1) w on true
     where a.bucket = p.bucket and a.account = p.account and a.recorded_on >= %(since)s
       and a.occurred_on between %(since)s and %(until)s and a.reason is null
       and not a.methodology = any(%(by_month)s)) y on true
  left join lateral (
    select sum(m.reduction_mg + coalesce(c.mg, 0)) as mg
      from month_settlement m
      left join lateral (select sum(h.amount_mg) as mg from act_change h
        where h.bucket = m.bucket and h.account = m.account and h.activity = m.id) c on true
     where m.bucket = p.bucket and m.account = p.account
       and (m.month + interval '1 month')::date - 1 between %(since)s and %(until)s) s on true
 where p.bucket between %(first)s and %(last)s and (%(one)s::uuid is null or p.team = %(one)s)
   and p.joined_at <= %(at)s and (p.left_at is null or p.left_at > %(at)s)
 group by p.team"""


@dataclass(frozen=True, slots=True)
class Board:
    """A board, of people in one field or all, or of teams."""

    span: Span
    field: str | None
    """``None`` for teams."""

    @property
    def id(self) -> str:
        """Its public name."""
        return f"team.{self.span}" if self.field is None else f"{self.span}.{self.field}"


class Period(NamedTuple):
    """The days of a board, both counted."""

    since: date
    until: date


class TeamTotal(NamedTuple):
    """What a team comes to in a period."""

    members: int
    active: int
    mg: int


def every_board() -> Sequence[Board]:
    """List every board that there is."""
    fields = (ALL, *(field.value for field in Field))
    people = [Board(span, field) for span in SPANS for field in fields]
    return [*people, *(Board(span, None) for span in SPANS)]


def board_named(text: str) -> Board:
    """Give the board of a public name.

    >>> board_named("week.green_travel").field, board_named("team.month").span
    ('green_travel', 'month')

    Raises:
        LeaderboardUnknown: There is no such board.
    """
    known = {board.id: board for board in every_board()} if _ID.fullmatch(text) else {}
    if text not in known:
        raise LeaderboardUnknown
    return known[text]


def period_of(span: Span, day: date, *, before: bool = False) -> Period:
    """Give the week or month of a day, or the one before it.

    >>> period_of("month", date(2026, 3, 5), before=True)
    Period(since=datetime.date(2026, 2, 1), until=datetime.date(2026, 2, 28))
    """
    if span == "week":
        since = monday_of(day) - timedelta(days=7 if before else 0)
        return Period(since, since + timedelta(days=6))
    first = day.replace(day=1)
    if before:
        first = (first - timedelta(days=1)).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(first, following - timedelta(days=1))


def totals(
    session: Session, board: Board, period: Period, document: GrowthDocument, *, at: datetime
) -> Mapping[str, int]:
    """Read a whole board from rows [mg]: by owner's number, or by team their mean per head."""
    connection, known = driver(session), library_of(session)
    found: dict[str, int] = {}
    if board.field is None:
        for team, total in team_totals(connection, known, period, at=at).items():
            members, active, mg = total
            mean = team_mean_mg(document, members=members, active=active, total_mg=mg)
            if mean:
                found[team.hex] = mean
        return found
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        facts = {
            **_range(first, period, BUCKETS_AT_ONCE),
            "all": board.field == ALL,
            "versions": known.of_field(board.field),
        }
        for owner, mg in connection.execute(_PEOPLE, facts).fetchall():
            found[str(owner)] = mg
    return found


def team_totals(
    connection: Connection,
    known: Library,
    period: Period,
    *,
    at: datetime,
    one: UUID | None = None,
) -> Mapping[UUID, TeamTotal]:
    """Add up teams: by bucket in the database, then over the buckets here.

    Members are those of ``at``, or of the period's end where it is over; each with all their acts
    of the period.
    """
    sums: dict[UUID, TeamTotal] = defaultdict(lambda: TeamTotal(0, 0, 0))
    last = datetime.combine(period.until + timedelta(days=1), time(), SHANGHAI)
    step = BUCKETS_AT_ONCE if one is None else BUCKETS
    for first in range(0, BUCKETS, step):
        facts = {
            **_range(first, period, step),
            "by_month": sorted(known.by_month),
            "at": min(at, last),
            "one": one,
        }
        for team, members, active, mg in connection.execute(_TEAMS, facts).fetchall():
            sum_ = sums[team]
            sums[team] = TeamTotal(sum_.members + members, sum_.active + active, sum_.mg + mg)
    return sums


def _range(first: int, period: Period, step: int) -> dict[str, object]:
    return {
        "first": first,
        "last": first + step - 1,
        "since": period.since,
        "until": period.until,
    }
