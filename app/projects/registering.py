"""Registering, excluding, ending (登记、排除与终止): what two people of the desk sign.

An owner withdraws alone. The request names the design that was looked at, so that a revision that
comes meanwhile is not registered unseen.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import parse_public_id
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.projects.boundary import count_meters, free_meters, refuse_counted, refuse_linked
from app.projects.errors import (
    DesignInvalid,
    DesignStale,
    NotRegistrable,
    PeriodAccrued,
    PeriodOutside,
)
from app.projects.registry import (
    PREFIX,
    Project,
    any_project,
    own_project,
    refuse_ended,
    refuse_registered,
    registered_design,
    reviews_of,
    revision_of,
)
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload
from app.staff.voting import lacks_votes, votes_on

REGISTER: Final = "projects.register"
EXCLUDE: Final = "projects.exclude"
END: Final = "projects.end"
_REGISTER: Final = """
update project set revision = %s, crediting = daterange(%s, %s, '[]'), asked_by = %s,
       signed_by = %s, registered_at = %s
 where bucket = %s and account = %s and id = %s"""
_EXCLUDE: Final = """
insert into project_exclusion (bucket, account, id, project, meter, days, reason, asked_by,
                               signed_by, excluded_at)
values (%s, %s, %s, %s, %s, daterange(%s, %s, '[]'), %s, %s, %s, %s)"""
_ACCRUED: Final = """
select from monitoring_report
 where bucket = %s and account = %s and project = %s and is_accepted
   and days && daterange(%s, %s, '[]') limit 1"""
_END: Final = """
update project set last_day = case when registered_at is null then null else %s::date end,
       ended_for = %s, ended_by = %s, ended_at = %s
 where bucket = %s and account = %s and id = %s"""


def ask_registration(
    session: Session, asking: Asking, project: UUID | None, revision: int
) -> Approval:
    """Ask that a project be registered with its newest design, for its crediting period.

    Raises:
        ProjectUnknown, ProjectRegistered, ProjectEnded, DesignStale, NotRegistrable,
        CountedElsewhere, MeterTaken, ApprovalOpen: See their own words.
    """
    found = any_project(session, project)
    _refuse_unregistrable(session, found, revision)
    payload = {"project": found.public, "revision": revision}
    return _ask(session, asking, REGISTER, found, payload)


def ask_exclusion(
    session: Session,
    asking: Asking,
    project: UUID | None,
    first: date,
    last: date,
    meter: int | None,
) -> Approval:
    """Ask that days of a project, or of one of its meters, do not count.

    Raises:
        ProjectUnknown, ProjectNotRegistered, ProjectEnded, PeriodOutside, PeriodAccrued,
        DesignInvalid, ApprovalOpen: See their own words.
    """
    found = any_project(session, project)
    _refuse_unexcludable(session, found, first, last, meter)
    payload = {
        "project": found.public,
        "first": first.isoformat(),
        "last": last.isoformat(),
        "meter": meter,
        "reason": asking.reason,
    }
    return _ask(session, asking, EXCLUDE, found, payload)


def ask_ending(session: Session, asking: Asking, project: UUID | None) -> Approval:
    """Ask that a project end, or be refused where it is not registered.

    Raises:
        ProjectUnknown, ProjectEnded, ApprovalOpen: See their own words.
    """
    found = any_project(session, project)
    refuse_ended(found)
    payload = {"project": found.public, "reason": asking.reason}
    return _ask(session, asking, END, found, payload)


def withdraw(
    session: Session, me: Principal, project: UUID | None, reason: str, *, at: datetime
) -> Project:
    """Take one's own project back; its days up to this one may still be reported.

    Raises:
        ProjectUnknown, ProjectEnded: See their own words.
    """
    found = own_project(session, me, project, is_locked=True)
    refuse_ended(found)
    end_project(session, found, reason, by=me.name, at=at)
    if me.kind != "citizen":
        note_act(session, me.name, "projects.withdraw", found.public, at=at)
    return own_project(session, me, project)


def _register(session: Session, payload: Payload, signing: Signing) -> None:
    found, number = _named(session, payload), int(payload["revision"])
    _refuse_unregistrable(session, found, number)
    design = revision_of(session, found, number).design
    by = (signing.asked_by, signing.signed_by, signing.at)
    row = (number, design.since, design.until, *by, *found.place)
    driver(session).execute(_REGISTER, row)
    count_meters(session, found.id, design)


def _exclude(session: Session, payload: Payload, signing: Signing) -> None:
    found = _named(session, payload)
    first, last = (date.fromisoformat(payload[name]) for name in ("first", "last"))
    meter = payload["meter"]
    _refuse_unexcludable(session, found, first, last, meter)
    by = (signing.asked_by, signing.signed_by, signing.at)
    what = (signing.approval, found.id, meter, first, last, payload["reason"])
    driver(session).execute(_EXCLUDE, (found.bucket, found.owner, *what, *by))


def _end_signed(session: Session, payload: Payload, signing: Signing) -> None:
    found = _named(session, payload)
    refuse_ended(found)
    end_project(session, found, payload["reason"], by=signing.signed_by, at=signing.at)


DEEDS: Final[Mapping[str, Deed]] = {REGISTER: _register, EXCLUDE: _exclude, END: _end_signed}


def end_project(session: Session, project: Project, reason: str, *, by: str, at: datetime) -> None:
    """End a project that goes on, today; its meters are free from tomorrow on."""
    last_day = day_of(at)
    driver(session).execute(_END, (last_day, reason, by, at, *project.place))
    if project.registered_at is not None:
        free_meters(session, project.id, registered_design(session, project), last_day)


def _refuse_unregistrable(session: Session, project: Project, revision: int) -> None:
    refuse_registered(project)
    newest = revision_of(session, project)
    if newest.number != revision:
        raise DesignStale(newest=newest.number)
    lacking = lacks_votes(votes_on(reviews_of(session, project), revision))
    if lacking:
        raise NotRegistrable(lacking="; ".join(lacking))
    refuse_counted(session, newest.design)
    refuse_linked(session, newest.design)


def _refuse_unexcludable(
    session: Session, project: Project, first: date, last: date, meter: int | None
) -> None:
    refuse_ended(project)
    since, until = project.counts()
    if not since <= first <= last <= until:
        raise PeriodOutside(since=since.isoformat(), until=until.isoformat())
    if meter is not None and meter >= len(registered_design(session, project).meters):
        raise DesignInvalid(meter=meter)
    days = (project.bucket, project.owner, project.id, first, last)
    if driver(session).execute(_ACCRUED, days).rowcount:
        raise PeriodAccrued


def _named(session: Session, payload: Payload) -> Project:
    """Give the project that a signed request names, until this transaction ends."""
    return any_project(session, parse_public_id(PREFIX, payload["project"]), is_locked=True)


def _ask(
    session: Session, asking: Asking, act: str, project: Project, payload: Payload
) -> Approval:
    return ask(session, asking, act, project.public, payload, scope=Scope.PROJECTS_REGISTER)
