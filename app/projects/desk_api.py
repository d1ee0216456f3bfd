"""Projects at the desk over HTTP (减排项目审核接口): review, register, exclude, verify."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.projects.applying import review
from app.projects.monitoring import PREFIX as REPORT
from app.projects.monitoring import project_of, waiting_reports
from app.projects.registering import ask_ending, ask_exclusion, ask_registration
from app.projects.registry import PREFIX, ProjectState, any_project, note_reading, projects
from app.projects.schemas import (
    DecisionIn,
    ExclusionIn,
    ProjectOut,
    ProjectPage,
    ProjectReviewIn,
    RegistrationIn,
    ReportOut,
    ReportPage,
)
from app.projects.showing import any_report_out, project_out, project_row, report_row
from app.projects.verifying import Decision, decide
from app.staff import Approval, ApprovalOut, Asking, answer_asked
from app.staff.schemas import ReasonIn

router = APIRouter(prefix="/v1/admin", tags=["projects 减排项目"])

Reviewer = Annotated[Principal, desk(Scope.PROJECTS_REVIEW)]
Verifier = Annotated[Principal, desk(Scope.PROJECTS_VERIFY)]
Registrar = Annotated[Principal, desk(Scope.PROJECTS_REGISTER)]
Reader = Annotated[Principal, desk(Scope.PROJECTS_READ)]
ProjectId = Annotated[str, Path(max_length=40, examples=["prj_01k0000000000000000000000a"])]
ReportId = Annotated[str, Path(max_length=40, examples=["mrp_01k0000000000000000000000a"])]
State = Annotated[ProjectState | None, Query(description="Of this state only.")]
LISTED: Final = problems(**DENIED, s422="The cursor or a filter is not of the documented form.")
ASKED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such project or report.",
    s409="It does not stand so that this could be, or the same awaits its second signature.",
    s422="The request is not of the documented form, or its key was used before.",
)


@router.get(
    "/projects",
    operation_id="listProjects",
    summary="Everybody's projects 减排项目列表",
    responses=LISTED,
)
def list_projects(
    _who: Reader, db: Db, state: State = None, limit: Limit = 50, cursor: Cursor = None
) -> ProjectPage:
    """List projects, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(projects, state=state, before=before, limit=limit + 1)
    return page_of(ProjectPage, found, limit, project_row, lambda last: (last.id,))


@router.get(
    "/projects/{project_id}",
    operation_id="getProject",
    summary="A project 查看减排项目",
    responses=problems(**DENIED, s404="No such project."),
)
def get_project(who: Reader, db: Db, keys: Secrets, project_id: ProjectId) -> ProjectOut:
    """Give a project with its design; each reading of a citizen's is logged."""
    at, project = now(), parse_public_id(PREFIX, project_id)

    def command(session: Session) -> ProjectOut:
        found = any_project(session, project)
        note_reading(session, who, found, at=at)
        return project_out(session, keys, found)

    return db.transact(command)


@router.post(
    "/projects/{project_id}/reviews",
    operation_id="reviewProject",
    summary="Say what you find of its design 评审项目",
    status_code=201,
    response_model=ProjectOut,
    responses=ASKED,
)
def post_review(  # noqa: PLR0917 -- the request, its body, who, and of which project
    request: Request,
    body: ProjectReviewIn,
    who: Reviewer,
    db: Db,
    keys: Secrets,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Vote on the newest design, once."""
    at, project = now(), parse_public_id(PREFIX, project_id)
    said = (body.revision, body.vote, body.comment)

    def deed(session: Session) -> ProjectOut:
        return project_out(session, keys, review(session, who, project, *said, at=at))

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/projects/{project_id}/registration",
    operation_id="askForRegistration",
    summary="Ask that it be registered 申请项目登记",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_registration(
    request: Request,
    body: RegistrationIn,
    who: Registrar,
    db: Db,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature registers it and counts its meters for it alone."""
    project = parse_public_id(PREFIX, project_id)

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_registration(session, asking, project, body.revision)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/projects/{project_id}/exclusions",
    operation_id="askForExclusion",
    summary="Ask that days do not count 申请排除期间或计量点",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_exclusion(
    request: Request,
    body: ExclusionIn,
    who: Registrar,
    db: Db,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; after the second signature these days of the project, or of one meter, give nothing."""
    project, days = parse_public_id(PREFIX, project_id), (body.first, body.last)

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_exclusion(session, asking, project, *days, body.meter)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/projects/{project_id}/end",
    operation_id="askForProjectEnd",
    summary="Ask that it end, or be refused 申请终止或驳回项目",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_end(
    request: Request,
    body: ReasonIn,
    who: Registrar,
    db: Db,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; after the second signature no later day of it counts."""
    project = parse_public_id(PREFIX, project_id)

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_ending(session, asking, project)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.get(
    "/monitoring-reports",
    operation_id="listWaitingReports",
    summary="Reports that await a verifier 待核查监测报告",
    responses=LISTED,
)
def list_reports(_who: Verifier, db: Db, limit: Limit = 50, cursor: Cursor = None) -> ReportPage:
    """List undecided reports, the oldest first."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(waiting_reports, after=after, limit=limit + 1)
    return page_of(ReportPage, found, limit, report_row, lambda last: (last.id,))


@router.get(
    "/monitoring-reports/{report_id}",
    operation_id="getReportOfAnybody",
    summary="A monitoring report 查看监测报告",
    responses=problems(**DENIED, s404="No such report."),
)
def get_report(who: Verifier, db: Db, report_id: ReportId) -> ReportOut:
    """Give readings, papers and what each day came to; each reading of a citizen's is logged."""
    at, report = now(), parse_public_id(REPORT, report_id)

    def command(session: Session) -> ReportOut:
        note_reading(session, who, project_of(session, report), at=at)
        return any_report_out(session, report)

    return db.transact(command)


@router.post(
    "/monitoring-reports/{report_id}/decision",
    operation_id="decideMonitoringReport",
    summary="Accept or reject a report 核查监测报告",
    response_model=ReportOut,
    responses=ASKED,
)
def post_decision(
    request: Request,
    body: DecisionIn,
    who: Verifier,
    db: Db,
    report_id: ReportId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Decide; an accepted report accrues to the project's owner what its methodology gives."""
    at, report = now(), parse_public_id(REPORT, report_id)
    decision = Decision(body.accepts, body.finding, at)

    def deed(session: Session) -> ReportOut:
        decide(session, who, report, decision, ids=new_id)
        return any_report_out(session, report)

    return answer_once(request, db, who, idempotency_key, body, deed, status=200)
