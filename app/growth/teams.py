"""Teams (小队): people who know a code, ranked by the mean per head.

A team is central, its members' rows are owned; counting adds up by bucket. Nobody sees who else
is in a team, and no mean is shown of fewer people than the rules say.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.citizens import lock_citizen
from app.growth.boards import Period, TeamTotal, period_of, team_totals
from app.growth.errors import TeamFull, TeamNameRefused, TeamTaken, TeamUnknown
from app.growth.names import TEAM_MAX, plain_name
from app.growth.published import growth_documents, in_force
from app.growth.reading import library_of
from app.growth.rules import shown_mg, team_mean_mg
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.tokens import Principal

_OPEN: Final = "insert into team (id, code, name, opened_at) values (%s, %s, %s, %s)"
_FIND: Final = "select id from team where code = %s"
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('team ' || %s, 0))"
_COUNT: Final = "select count(*) from team_member where team = %s and left_at is null"
_CURRENT: Final = """
select team, joined_at from team_member
 where bucket = %s and account = %s and left_at is null"""
_TEAM: Final = "select name, code from team where id = %s"
_JOIN: Final = """
insert into team_member (bucket, account, joined_at, team) values (%s, %s, %s, %s)"""
_LEAVE: Final = """
update team_member set left_at = greatest(%s, joined_at + interval '1 microsecond')
 where bucket = %s and account = %s and left_at is null"""
_LAST_LEFT: Final = """
select max(left_at) from team_member where bucket = %s and account = %s"""


class TeamView(NamedTuple):
    """A team as its members see it."""

    name: str
    code: str
    joined_at: datetime
    period: Period
    total: TeamTotal
    mean_mg: int | None
    """Per head, over all members; ``None`` where the rules show none."""


def open_team(
    session: Session, who: Principal, name: str, *, team: UUID, code: str, at: datetime
) -> TeamView:
    """Open a team and join it.

    Raises:
        TeamNameRefused: The name is too short or long, or does not print.
        TeamTaken: The person is in a team already.
    """
    plain = plain_name(name, TEAM_MAX)
    if plain is None:
        raise TeamNameRefused
    driver(session).execute(_OPEN, (team, code, plain, at))
    return join_team(session, who, code, at=at)


def join_team(session: Session, who: Principal, code: str, *, at: datetime) -> TeamView:
    """Join the team of a code; joining one's own again changes nothing.

    Raises:
        TokenInvalid: The person was erased.
        TeamUnknown: Nobody gave this code out.
        TeamTaken: The person is in another team.
        TeamFull: It has as many members as a team may have.
    """
    connection, owner = driver(session), (who.bucket, who.owner)
    lock_citizen(session, *owner)
    found = connection.execute(_FIND, (code,)).fetchone()
    if found is None:
        raise TeamUnknown
    connection.execute(_LOCK, (code,))
    current = connection.execute(_CURRENT, owner).fetchone()
    if current is not None and current[0] != found[0]:
        raise TeamTaken
    if current is None:
        rule = in_force(growth_documents(), day_of(at)).team
        count = connection.execute(_COUNT, (found[0],)).fetchone()
        if count is None or count[0] >= rule.members_max:
            raise TeamFull(members_max=rule.members_max)
        last = connection.execute(_LAST_LEFT, owner).fetchone()
        left_at = last[0] if last else None
        joined_at = at if left_at is None else max(at, left_at + timedelta(microseconds=1))
        connection.execute(_JOIN, (*owner, joined_at, found[0]))
    return team_of(session, who, at=at)


def leave_team(session: Session, who: Principal, *, at: datetime) -> None:
    """Leave the team that one is in. Idempotent."""
    driver(session).execute(_LEAVE, (at, who.bucket, who.owner))


def team_of(session: Session, who: Principal, *, at: datetime) -> TeamView:
    """Give the team that a person is in, with this month so far.

    Raises:
        TeamUnknown: The person is in none.
    """
    connection = driver(session)
    current = connection.execute(_CURRENT, (who.bucket, who.owner)).fetchone()
    if current is None:
        raise TeamUnknown
    team, joined_at = current
    row = connection.execute(_TEAM, (team,)).fetchone()
    assert row is not None
    period = period_of("month", day_of(at))
    seen_at = max(at, joined_at)
    every = team_totals(connection, library_of(session), period, at=seen_at, one=team)
    total = every[team]
    document = in_force(growth_documents(), day_of(at))
    mean = team_mean_mg(document, members=total.members, active=total.active, total_mg=total.mg)
    # Rounded as on the board: of two exact means the difference is one person's acts.
    shown = None if mean is None else shown_mg(document, mean)
    return TeamView(row[0], row[1], joined_at, period, total, shown)
