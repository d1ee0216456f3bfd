"""Challenges (挑战): a period and a goal, opened by the operator; progress is read from acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.citizens import lock_citizen
from app.growth.errors import ChallengeMalformed, ChallengeOver, ChallengeUnknown
from app.growth.reading import between
from app.growth.year import Year
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.staff import note_act

DAYS_MAX: Final = 366
_OPEN: Final = """
insert into challenge (id, title_zh, title_en, field, goal_days, goal_mg, starts_on, ends_on,
  opened_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_LIST: Final = """
select id, title_zh, title_en, field, goal_days, goal_mg, starts_on, ends_on from challenge
 where ends_on >= %s and (ends_on, id) > (%s, %s) order by ends_on, id limit %s"""
_ONE: Final = """
select id, title_zh, title_en, field, goal_days, goal_mg, starts_on, ends_on from challenge
 where id = %s"""
_JOINED: Final = """
select challenge from challenge_entry
 where bucket = %s and account = %s and challenge = any(%s)"""
_JOIN: Final = """
insert into challenge_entry (bucket, account, challenge, joined_at) values (%s, %s, %s, %s)
on conflict do nothing"""
_LEAVE: Final = """
delete from challenge_entry where bucket = %s and account = %s and challenge = %s"""


class Challenge(NamedTuple):
    """What the operator opened."""

    id: UUID
    title_zh: str
    title_en: str
    field: str | None
    """``None``: acts of any field count."""
    goal_days: int | None
    goal_mg: int | None
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Progress:
    """How far somebody is; of days or of milligrams, as the goal is."""

    have: int
    need: int

    @property
    def is_done(self) -> bool:
        """Whether the goal is reached."""
        return self.have >= self.need


def open_challenge(session: Session, clerk: Principal, made: Challenge, *, at: datetime) -> None:
    """Open a challenge, noted in the audit log.

    Raises:
        ChallengeMalformed: Its days or its goal are not of the form.
    """
    days = (made.ends_on - made.starts_on).days + 1
    one_goal = (made.goal_days is None) != (made.goal_mg is None)
    if not (1 <= days <= DAYS_MAX and made.ends_on >= day_of(at) and one_goal):
        raise ChallengeMalformed
    driver(session).execute(_OPEN, (*made, at))
    note_act(session, clerk.name, "challenges.open", public_id("chl", made.id), at=at)


def challenges_after(
    session: Session, since: date, after: tuple[date, UUID], limit: int
) -> Sequence[Challenge]:
    """List the challenges that are not over on a day, those that end first before the others."""
    rows = driver(session).execute(_LIST, (since, *after, limit)).fetchall()
    return [Challenge(*row) for row in rows]


def challenge_of(session: Session, challenge: UUID) -> Challenge:
    """Give one challenge.

    Raises:
        ChallengeUnknown: There is none.
    """
    row = driver(session).execute(_ONE, (challenge,)).fetchone()
    if row is None:
        raise ChallengeUnknown
    return Challenge(*row)


def join_challenge(session: Session, who: Principal, challenge: UUID, *, at: datetime) -> Challenge:
    """Take part. Idempotent.

    Raises:
        TokenInvalid: The person was erased.
        ChallengeUnknown: There is none.
        ChallengeOver: Its last day has passed.
    """
    lock_citizen(session, who.bucket, who.owner)
    found = challenge_of(session, challenge)
    if found.ends_on < day_of(at):
        raise ChallengeOver
    driver(session).execute(_JOIN, (who.bucket, who.owner, challenge, at))
    return found


def leave_challenge(session: Session, who: Principal, challenge: UUID) -> None:
    """Take part no longer. Idempotent."""
    driver(session).execute(_LEAVE, (who.bucket, who.owner, challenge))


def progress_in(
    session: Session, who: Principal, challenges: Sequence[Challenge], *, at: datetime
) -> dict[UUID, Progress]:
    """Read a person's progress in those of these challenges that they take part in."""
    ids = [each.id for each in challenges]
    rows = driver(session).execute(_JOINED, (who.bucket, who.owner, ids)).fetchall()
    joined = {challenge for (challenge,) in rows}
    found: dict[UUID, Progress] = {}
    for each in challenges:
        if each.id in joined:
            until = min(each.ends_on, day_of(at))
            year = between(
                session, who.bucket, who.owner, each.starts_on, until, known_on=day_of(at)
            )
            found[each.id] = progress(each, year)
    return found


def progress(challenge: Challenge, year: Year) -> Progress:
    """Read progress from the acts of a challenge's days."""
    counted = [t for t in year.tallies if challenge.field in {None, t.field}]
    if challenge.goal_days is not None:
        return Progress(len({tally.day for tally in counted}), challenge.goal_days)
    assert challenge.goal_mg is not None, challenge
    return Progress(sum(tally.mg for tally in counted), challenge.goal_mg)
