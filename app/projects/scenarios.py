"""Who operates a scenario (场景运营方): an organisation applies, two of the desk appoint it.

The regulator approves a scenario for its dates, and renews or ends that (the approval is
governance's); an operator is appointed to one approval, so its dates are those of the approval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.catalogue import ScenarioApproval, ScenarioUnknown, library, register
from app.kernel.db import driver
from app.kernel.ids import parse_public_id, public_id
from app.kernel.scopes import Scope
from app.organisations import OrganisationMember
from app.projects.errors import (
    OperationDecided,
    OperationReversed,
    OperationUnknown,
    ScenarioOperated,
    ScenarioUnapproved,
)
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload

PREFIX: Final = "sca"
APPOINT: Final = "scenarios.appoint"
REFUSE: Final = "scenarios.refuse"


class OperationState(StrEnum):
    """Where an application to operate a scenario stands."""

    OPEN = "open"
    APPOINTED = "appointed"
    REFUSED = "refused"


class NewOperation(NamedTuple):
    """What an organisation applies for."""

    id: UUID
    scenario: str
    valid_from: date
    """First day of the approval that it would operate under."""
    valid_until: date
    plan: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An application to operate a scenario (场景运营申请)."""

    id: UUID
    organisation: UUID
    scenario: str
    valid_from: date
    valid_until: date
    plan: str
    applied_at: datetime
    is_appointed: bool | None
    decided_at: datetime | None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def state(self) -> OperationState:
        """Where it stands."""
        if self.is_appointed is None:
            return OperationState.OPEN
        return OperationState.APPOINTED if self.is_appointed else OperationState.REFUSED


class Operator(NamedTuple):
    """Whoever operates a scenario, and under which approval (场景运营方)."""

    approval: ScenarioApproval
    name_zh: str
    name_en: str


_COLUMNS: Final = """
id, organisation, scenario, valid_from, valid_until, plan, applied_at, is_appointed, decided_at"""
_APPLY: Final = """
insert into scenario_application (id, organisation, scenario, valid_from, valid_until, plan,
                                  applied_by, applied_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_OWN: Final = f"select {_COLUMNS} from scenario_application where organisation = %s and id = %s"  # noqa: S608 -- columns of our own
_ANY: Final = f"select {_COLUMNS} from scenario_application where id = %s"  # noqa: S608 -- likewise
_LOCK: Final = f"{_ANY} for update"
_LIST: Final = f"""
select {_COLUMNS} from scenario_application
 where (%s::uuid is null or organisation = %s) and (%s::uuid is null or id < %s)
 order by id desc limit %s"""  # noqa: S608 -- likewise
_DECIDE: Final = """
update scenario_application set is_appointed = %s, asked_by = %s, signed_by = %s, decided_at = %s
 where id = %s"""
_OPERATORS: Final = """
select a.scenario, a.valid_from, o.name_zh, o.name_en
  from scenario_application a join organisation o on o.id = a.organisation where a.is_appointed"""


def apply_to_operate(
    session: Session, me: OrganisationMember, new: NewOperation, *, at: datetime
) -> Operation:
    """Apply to operate a scenario for the days of an approval that is there or asked for.

    Raises:
        ScenarioUnknown: No methodology has this scenario.
        OperationReversed: See its own words.
    """
    if new.scenario not in {each.scenario for each in library(session).values()}:
        raise ScenarioUnknown(scenario=new.scenario)
    if new.valid_until < new.valid_from:
        raise OperationReversed
    days = (new.valid_from, new.valid_until)
    row = (new.id, me.organisation, new.scenario, *days, new.plan, me.who.name, at)
    driver(session).execute(_APPLY, row)
    note_act(session, me.who.name, "scenarios.apply", public_id(PREFIX, new.id), at=at)
    return own_operation(session, me, new.id)


def own_operation(session: Session, me: OrganisationMember, operation: UUID | None) -> Operation:
    """Give an application of one's own organisation.

    Raises:
        OperationUnknown: There is none, or it is another's.
    """
    row = driver(session).execute(_OWN, (me.organisation, operation)).fetchone()
    if row is None:
        raise OperationUnknown
    return Operation(*row)


def operations(
    session: Session, organisation: UUID | None, *, before: UUID | None, limit: int
) -> Sequence[Operation]:
    """List applications, of one organisation or of all, the newest first."""
    row = (organisation, organisation, before, before, limit)
    return [Operation(*each) for each in driver(session).execute(_LIST, row)]


def ask_appointment(session: Session, asking: Asking, operation: UUID | None) -> Approval:
    """Ask that the applicant operate the scenario under the approval of these days.

    Raises:
        OperationUnknown, OperationDecided, ScenarioUnapproved, ApprovalOpen: See their own words.
    """
    found = _open(session, operation)
    _refuse_unapproved(session, found)
    return _ask(session, asking, APPOINT, found)


def ask_refusal(session: Session, asking: Asking, operation: UUID | None) -> Approval:
    """Ask that the application be refused.

    Raises:
        OperationUnknown, OperationDecided, ApprovalOpen: See their own words.
    """
    return _ask(session, asking, REFUSE, _open(session, operation))


def operators(session: Session) -> list[Operator]:
    """Give every appointed operator with the approval's dates of now, ended ones too."""
    rows = driver(session).execute(_OPERATORS).fetchall()
    names = {(scenario, since): (zh, en) for scenario, since, zh, en in rows}
    return [
        Operator(each, *names[each.scenario, each.valid_from])
        for each in register(session).approvals
        if (each.scenario, each.valid_from) in names
    ]


def _appoint(session: Session, payload: Payload, signing: Signing) -> None:
    found = _open(session, parse_public_id(PREFIX, payload["application"]))
    _refuse_unapproved(session, found)
    try:
        _decide(session, found, signing, is_appointed=True)
    except db_errors.UniqueViolation as error:
        raise ScenarioOperated(scenario=found.scenario) from error


def _refuse(session: Session, payload: Payload, signing: Signing) -> None:
    found = _open(session, parse_public_id(PREFIX, payload["application"]))
    _decide(session, found, signing, is_appointed=False)


DEEDS: Final[Mapping[str, Deed]] = {APPOINT: _appoint, REFUSE: _refuse}


def _open(session: Session, operation: UUID | None) -> Operation:
    row = driver(session).execute(_LOCK, (operation,)).fetchone()
    if row is None:
        raise OperationUnknown
    found = Operation(*row)
    if found.is_appointed is not None:
        raise OperationDecided
    return found


def _refuse_unapproved(session: Session, operation: Operation) -> None:
    wanted = (operation.scenario, operation.valid_from)
    known = register(session).approvals
    if not any((each.scenario, each.valid_from) == wanted for each in known):
        raise ScenarioUnapproved(scenario=operation.scenario)


def _decide(
    session: Session, operation: Operation, signing: Signing, *, is_appointed: bool
) -> None:
    row = (is_appointed, signing.asked_by, signing.signed_by, signing.at, operation.id)
    driver(session).execute(_DECIDE, row)


def _ask(session: Session, asking: Asking, act: str, operation: Operation) -> Approval:
    payload = {
        "application": operation.public,
        "organisation": public_id("org", operation.organisation),
        "scenario": operation.scenario,
        "valid_from": operation.valid_from.isoformat(),
    }
    return ask(session, asking, act, operation.public, payload, scope=Scope.METHODOLOGIES_PUBLISH)
