"""Appeals (申诉): a person contests what became of an act; the desk decides within its time.

An appeal is raised while its outcome can still be contested, one at a time for an act. Its
decision is written once, beside it. An upheld one edits nothing: it orders a correction, and
where it names the right quantities that correction is posted with it, as a new entry with the
appeal for its cause. What is overdue is derived from the clock and shown to both sides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlmodel import Session

from app.activities import APPEAL as APPEALED
from app.activities import Correction, correct
from app.activities.marks import plain_inputs
from app.catalogue import holding
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.staff import note_act
from app.wallet.acts import act_of
from app.wallet.errors import (
    ActivityUnknown,
    AppealDecided,
    AppealMisplaced,
    AppealOpenAlready,
    AppealTooLate,
    AppealUnknown,
    CorrectionImpossible,
)
from app.wallet.rules import Contest, StoredAct, due, is_in_time, may_contest, rework
from app.wallet.telling import document_of_act, stored_act
from methodologies import BadQuantity, Document, read_inputs

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


@dataclass(frozen=True, slots=True)
class Order:
    """The correction that an upheld appeal orders (更正要求)."""

    text: str
    inputs: Mapping[str, str] | None
    """The right quantities in the document's units, where the act can be worked out again."""


@dataclass(frozen=True, slots=True)
class Posting:
    """What posting a correction needs besides: the acceptance window [days], and ids."""

    window_days: int
    new_id: Callable[[], UUID]


def decide_appeal(
    session: Session,
    clerk: str,
    appeal: UUID,
    answer: str,
    order: Order | None,
    posting: Posting,
    *,
    at: datetime,
) -> Appeal:
    """Decide an appeal, once: upheld with an order, rejected without; post what it orders.

    Raises:
        AppealUnknown, AppealDecided, CorrectionImpossible: See their own words.
    """
    known = appeal_of(session, appeal)
    is_upheld = order is not None
    verdict = (at, clerk, is_upheld, answer, order and order.text)
    place = (known.bucket, known.owner, known.id)
    if driver(session).execute(_DECIDE, (*verdict, *place)).rowcount == 0:
        raise AppealDecided
    change_mg = 0
    if order is not None and order.inputs:
        change_mg = _post(session, known, order.inputs, posting, at)
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


def _post(
    session: Session, appeal: Appeal, given: Mapping[str, str], posting: Posting, at: datetime
) -> int:
    """Post what the act is worth with the right quantities; returns the change [mg]."""
    detail = act_of(session, appeal.bucket, appeal.owner, appeal.activity)
    document = None if detail is None else document_of_act(session, detail)
    if detail is None or document is None or detail.act.asset is None:
        raise CorrectionImpossible(activity=public_id("act", appeal.activity))
    holds = holding(session, document.code).of(document.version, detail.act.occurred_on)
    act = replace(stored_act(detail), inputs=detail.latest_inputs)
    inputs, mg = _worth(holds or document, act, given)
    place = (appeal.bucket, appeal.owner, detail.act.recorded_on, appeal.activity)
    (made,) = correct(
        driver(session),
        [Correction(*place, mg, APPEALED, inputs=inputs)],
        cause=appeal.id,
        at=at,
        window_days=posting.window_days,
        new_id=posting.new_id,
    )
    if not made.is_recorded:
        raise CorrectionImpossible(reason=made.reason)
    return made.change_mg


def _worth(
    document: Document, act: StoredAct, given: Mapping[str, str]
) -> tuple[dict[str, str], int]:
    """Give the corrected quantities as they are kept, and what they come to [mg]."""
    if unknown := sorted(set(given) - set(document.input_names)):
        raise CorrectionImpossible(unknown=", ".join(unknown))
    try:
        values = read_inputs(document, {**(act.inputs or {}), **given})
    except BadQuantity as error:
        raise CorrectionImpossible(reason=str(error)) from error
    inputs = plain_inputs({name: value for name, value in values.items() if value is not None})
    worked = rework(document, replace(act, inputs=inputs, raw_mg=None))
    if worked is None or worked.ineligible is not None or worked.mg is None:
        why = None if worked is None or worked.ineligible is None else worked.ineligible.reason
        raise CorrectionImpossible(reason=why)
    return inputs, worked.mg


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
