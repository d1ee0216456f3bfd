"""Appeals (申诉): a person contests what became of an act; the desk decides within its time.

An appeal is raised while its outcome can still be contested, one at a time for an act. Its
decision is written once, beside it. An upheld one edits nothing: it orders a correction in words,
which one clerk may; one that posts what it orders takes two (``upholding``). What is overdue is
derived from the clock and shown to both sides.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.staff import note_act
from app.wallet.errors import (
    ActivityUnknown,
    AppealDecided,
    AppealMisplaced,
    AppealOpenAlready,
    AppealTooLate,
    AppealUnknown,
)
from app.wallet.rules import Contest, due, is_in_time, may_contest

State = Literal["open", "overdue", "upheld", "rejected"]
APPEAL: Final = "apl"
_FATE: Final = """
select case when f.outcome = 'accepted' and exists (
         select from act_correction c where c.bucket = f.bucket and c.account = f.account
            and c.activity = f.id and c.is_withdrawn) then 'withdrawn' else f.outcome end,
       f.decided_on
  from act_fate f where f.bucket = %s and f.account = %s and f.id = %s"""
_RAISE: Final = """
insert into appeal (bucket, account, id, activity, contests, reason, raised_at, due_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (bucket, account, activity) where decided_at is null do nothing"""
_OWN: Final = """
select id, bucket, account, activity, contests, reason, raised_at, due_at, decided_at, decided_by,
       is_upheld, answer, correction
  from appeal where bucket = %s and account = %s and id < %s order by id desc limit %s"""
_OPEN: Final = """
select id, bucket, account, activity, contests, reason, raised_at, due_at, decided_at, decided_by,
       is_upheld, answer, correction
  from appeal where decided_at is null and id > %s and due_at <= %s order by id limit %s"""
_CLOSED: Final = """
select id, bucket, account, activity, contests, reason, raised_at, due_at, decided_at, decided_by,
       is_upheld, answer, correction
  from appeal where decided_at is not null and id > %s and is_upheld = %s order by id limit %s"""
_ONE: Final = """
select id, bucket, account, activity, contests, reason, raised_at, due_at, decided_at, decided_by,
       is_upheld, answer, correction
  from appeal where id = %s and (decided_at is null or decided_at is not null)"""
_DECIDE: Final = """
update appeal set decided_at = %s, decided_by = %s, is_upheld = %s, answer = %s, correction = %s
 where bucket = %s and account = %s and id = %s and decided_at is null"""


@dataclass(frozen=True, slots=True)
class Appeal:
    """What a person contests, and what the desk said."""

    id: UUID
    bucket: int
    owner: int
    activity: UUID
    contests: Contest
    reason: str | None
    """In their own words; None once they were erased."""
    raised_at: datetime
    due_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    is_upheld: bool | None = None
    answer: str | None = None
    correction: str | None = None
    """What an upheld appeal orders."""

    @property
    def name(self) -> str:
        """The public id."""
        return public_id(APPEAL, self.id)

    def state(self, at: datetime) -> State:
        """Say how it stands."""
        if self.is_upheld is not None:
            return "upheld" if self.is_upheld else "rejected"
        return "overdue" if self.due_at <= at else "open"


def raise_appeal(
    session: Session,
    bucket: int,
    owner: int,
    activity: UUID,
    contests: Contest,
    reason: str,
    *,
    id_: UUID,
    at: datetime,
) -> Appeal:
    """Contest the outcome of one's own act.

    Raises:
        ActivityUnknown, AppealMisplaced, AppealTooLate, AppealOpenAlready: See their own words.
    """
    connection = driver(session)
    fate = connection.execute(_FATE, (bucket, owner, activity)).fetchone()
    if fate is None:
        raise ActivityUnknown
    outcome, decided_on = fate
    if not may_contest(contests, outcome):
        raise AppealMisplaced(outcome=outcome)
    if not is_in_time(decided_on, day_of(at)):
        raise AppealTooLate(decided_on=decided_on.isoformat())

    made = Appeal(id_, bucket, owner, activity, contests, reason, at, due(at))
    facts = (bucket, owner, id_, activity, contests, reason, at, made.due_at)
    if connection.execute(_RAISE, facts).rowcount == 0:
        raise AppealOpenAlready
    return made


def decide_appeal(
    session: Session,
    clerk: str,
    appeal: UUID,
    answer: str,
    order: str | None,
    *,
    change_mg: int = 0,
    at: datetime,
) -> Appeal:
    """Decide an appeal, once: upheld with an order in words, rejected without.

    ``change_mg`` is what was posted with it [mg].

    Raises:
        AppealUnknown, AppealDecided: See their own words.
    """
    known = appeal_of(session, appeal)
    is_upheld = order is not None
    verdict = (at, clerk, is_upheld, answer, order)
    place = (known.bucket, known.owner, known.id)
    if driver(session).execute(_DECIDE, (*verdict, *place)).rowcount == 0:
        raise AppealDecided
    note_act(
        session,
        clerk,
        "appeal.uphold" if is_upheld else "appeal.reject",
        known.name,
        at=at,
        activity=public_id("act", known.activity),
        overdue=int(known.due_at <= at),
        change_mg=change_mg,
    )
    return appeal_of(session, appeal)


def appeal_of(session: Session, appeal: UUID) -> Appeal:
    """Give one appeal, for the desk.

    Raises:
        AppealUnknown: There is none.
    """
    row = driver(session).execute(_ONE, (appeal,)).fetchone()
    if row is None:
        raise AppealUnknown
    return Appeal(*row)


def appeals_of(
    session: Session, bucket: int, owner: int, *, before: UUID, limit: int
) -> list[Appeal]:
    """Give a person's own appeals, newest first."""
    return [Appeal(*row) for row in driver(session).execute(_OWN, (bucket, owner, before, limit))]


def appeals_at_desk(
    session: Session, state: State, *, after: UUID, limit: int, at: datetime
) -> list[Appeal]:
    """Give the desk's appeals in one state, the oldest, and so the soonest due, first."""
    connection = driver(session)
    if state in {"open", "overdue"}:
        until = at if state == "overdue" else due(at)
        rows = connection.execute(_OPEN, (after, until, limit))
    else:
        rows = connection.execute(_CLOSED, (after, state == "upheld", limit))
    return [Appeal(*row) for row in rows]
