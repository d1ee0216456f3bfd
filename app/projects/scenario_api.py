"""Operators of scenarios over HTTP (场景运营接口): organisations apply, the regulator appoints."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import Day, problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.organisations import OrganisationMember, member
from app.projects.scenarios import (
    PREFIX,
    NewOperation,
    Operation,
    OperationState,
    Operator,
    apply_to_operate,
    ask_appointment,
    ask_refusal,
    operations,
    operators,
    own_operation,
)
from app.projects.schemas import DesignText
from app.staff import Approval, ApprovalOut, Asking, answer_asked
from app.staff.schemas import ReasonIn

router = APIRouter(tags=["projects 减排项目"])

Member = Annotated[OrganisationMember, member(Scope.SCENARIOS_OPERATE)]
Publisher = Annotated[Principal, desk(Scope.METHODOLOGIES_PUBLISH)]
OperationId = Annotated[str, Path(max_length=40, examples=["sca_01k0000000000000000000000a"])]
_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
KEYED: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s404": "No such application, or no such scenario.",
    "s409": "It was decided, or the scenario has no such approval or has an operator.",
    "s422": "The request is not of the documented form, or its key was used before.",
}
LISTED: Final = problems(**DENIED, s422="The cursor is not of the documented form.")


class OperationIn(BaseModel):
    """Which scenario an organisation would operate, and how (场景运营申请)."""

    model_config = _FROZEN

    scenario: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["sz-metro"])
    valid_from: Day = Field(description="First day of the approval that it would work under.")
    valid_until: Day
    plan: DesignText


class OperationOut(BaseModel):
    """An application to operate a scenario."""

    model_config = _FROZEN

    id: str = Field(examples=["sca_01k0000000000000000000000a"])
    organisation: str = Field(examples=["org_01k0000000000000000000000a"])
    scenario: str
    valid_from: date
    valid_until: date
    plan: str
    state: OperationState
    applied_at: datetime
    decided_at: datetime | None


class OperationPage(BaseModel):
    """Some applications to operate a scenario, the newest first."""

    model_config = _FROZEN

    data: list[OperationOut]
    next_cursor: str | None


class ScenarioOperatorOut(BaseModel):
    """Whoever operates a scenario, and the dates of the approval (场景运营方)."""

    model_config = _FROZEN

    scenario: str
    valid_from: date
    valid_until: date
    letter: str
    operator_zh: str
    operator_en: str


class ScenarioOperatorList(BaseModel):
    """Every operator of a scenario, those whose approval ended too."""

    model_config = _FROZEN

    data: list[ScenarioOperatorOut]


@router.post(
    "/v1/organisation/scenario-applications",
    operation_id="applyToOperateScenario",
    summary="Apply to operate a scenario 申请运营场景",
    status_code=201,
    response_model=OperationOut,
    responses=problems(**KEYED),
)
def post_operation(
    request: Request,
    body: OperationIn,
    me: Member,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Apply for the days of one approval; a renewal is applied for anew."""
    at, days = now(), (body.valid_from, body.valid_until)
    new = NewOperation(new_id(), body.scenario, *days, body.plan)

    def deed(session: Session) -> OperationOut:
        return operation_out(apply_to_operate(session, me, new, at=at))

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.get(
    "/v1/organisation/scenario-applications",
    operation_id="listMyScenarioApplications",
    summary="My organisation's applications 本机构场景运营申请",
    responses=LISTED,
)
def list_own(me: Member, db: Db, limit: Limit = 50, cursor: Cursor = None) -> OperationPage:
    """List what one's organisation applied for, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(operations, me.organisation, before=before, limit=limit + 1)
    return page_of(OperationPage, found, limit, operation_out, lambda last: (last.id,))


@router.get(
    "/v1/organisation/scenario-applications/{application_id}",
    operation_id="getMyScenarioApplication",
    summary="One of them 查看场景运营申请",
    responses=problems(**DENIED, s404="Your organisation has no such application."),
)
def get_own(me: Member, db: Db, application_id: OperationId) -> OperationOut:
    """Give an application of one's organisation."""
    return operation_out(db.read(own_operation, me, parse_public_id(PREFIX, application_id)))


@router.get(
    "/v1/admin/scenario-applications",
    operation_id="listScenarioApplications",
    summary="Everybody's applications 场景运营申请列表",
    responses=LISTED,
)
def list_operations(
    _who: Publisher, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> OperationPage:
    """List who applied to operate what, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(operations, None, before=before, limit=limit + 1)
    return page_of(OperationPage, found, limit, operation_out, lambda last: (last.id,))


@router.post(
    "/v1/admin/scenario-applications/{application_id}/appointment",
    operation_id="askForAppointment",
    summary="Ask that the applicant operate it 申请指定场景运营方",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(**KEYED),
)
def ask_for_appointment(
    request: Request,
    body: ReasonIn,
    who: Publisher,
    db: Db,
    application_id: OperationId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; after the second signature the approval names its operator."""
    operation = parse_public_id(PREFIX, application_id)

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_appointment(session, asking, operation)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/scenario-applications/{application_id}/refusal",
    operation_id="askForOperationRefusal",
    summary="Ask that it be refused 申请驳回场景运营申请",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(**KEYED),
)
def ask_for_refusal(
    request: Request,
    body: ReasonIn,
    who: Publisher,
    db: Db,
    application_id: OperationId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; after the second signature it is refused."""
    operation = parse_public_id(PREFIX, application_id)

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_refusal(session, asking, operation)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.get(
    "/v1/public/scenario-operators",
    operation_id="listScenarioOperators",
    summary="Who operates which scenario until when 场景运营方公示",
)
def list_scenario_operators(db: Db) -> ScenarioOperatorList:
    """List operators with their approval's dates; after the last day nothing accrues."""
    return ScenarioOperatorList(data=[_operator_out(each) for each in db.read(operators)])


def operation_out(operation: Operation) -> OperationOut:
    """Write an application to operate a scenario as the API gives it."""
    return OperationOut(
        id=operation.public,
        organisation=public_id("org", operation.organisation),
        scenario=operation.scenario,
        valid_from=operation.valid_from,
        valid_until=operation.valid_until,
        plan=operation.plan,
        state=operation.state,
        applied_at=operation.applied_at,
        decided_at=operation.decided_at,
    )


def _operator_out(found: Operator) -> ScenarioOperatorOut:
    return ScenarioOperatorOut(
        scenario=found.approval.scenario,
        valid_from=found.approval.valid_from,
        valid_until=found.approval.valid_until,
        letter=found.approval.letter,
        operator_zh=found.name_zh,
        operator_en=found.name_en,
    )
