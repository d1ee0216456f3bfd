"""Projects over HTTP (减排项目接口): their owners apply, revise, report and withdraw.

Whatever has an id here is looked for among one's own: another owner's is as if it were nobody's.
"""

from secrets import token_bytes
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db, Secrets
from app.projects.applying import apply, revise
from app.projects.members import Owner
from app.projects.monitoring import PREFIX as REPORT
from app.projects.monitoring import reports_of, send_report
from app.projects.registering import withdraw
from app.projects.registry import PREFIX, own_project, own_projects
from app.projects.schemas import (
    DesignIn,
    DesignRevisionIn,
    ProjectOut,
    ProjectPage,
    ReportIn,
    ReportOut,
    ReportPage,
    report_in,
    wish_in,
)
from app.projects.showing import project_out, project_row, report_out, report_row
from app.staff.schemas import ReasonIn

router = APIRouter(prefix="/v1/projects", tags=["projects 减排项目"])

ProjectId = Annotated[str, Path(max_length=40, examples=["prj_01k0000000000000000000000a"])]
ReportId = Annotated[str, Path(max_length=40, examples=["mrp_01k0000000000000000000000a"])]
SALT_BYTES: Final = 32
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "You own no projects, or you or your organisation are suspended.",
}
UNKNOWN: Final = "You have no such project."
LISTED: Final = problems(**DENIED, s404=UNKNOWN, s422="The cursor is not of the documented form.")
WRITING: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="You have no such project, or there is no such methodology.",
    s409="It is registered, ended or counted elsewhere, or the period was told before.",
    s422="The request is not of the documented form, or does not fit the methodology.",
)


@router.post(
    "",
    operation_id="applyWithProject",
    summary="Apply with a project 申请减排项目",
    status_code=201,
    response_model=ProjectOut,
    responses=WRITING,
)
def post_project(
    request: Request,
    body: DesignIn,
    me: Owner,
    db: Db,
    keys: Secrets,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Lay a design before the experts; numbers of meters are hashed and not kept."""
    at, project, wish = now(), new_id(), wish_in(body)

    def deed(session: Session) -> ProjectOut:
        return project_out(session, keys, apply(session, keys, me, wish, project=project, at=at))

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get("", operation_id="listMyProjects", summary="My projects 我的项目", responses=LISTED)
def list_projects(me: Owner, db: Db, limit: Limit = 50, cursor: Cursor = None) -> ProjectPage:
    """List one's own projects, ended ones too, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(own_projects, me, before=before, limit=limit + 1)
    return page_of(ProjectPage, found, limit, project_row, lambda last: (last.id,))


@router.get(
    "/{project_id}",
    operation_id="getMyProject",
    summary="One of my projects 查看项目",
    responses=problems(**DENIED, s404=UNKNOWN),
)
def get_project(me: Owner, db: Db, keys: Secrets, project_id: ProjectId) -> ProjectOut:
    """Give a project with its design, what reviewers found, and what does not count."""
    project = parse_public_id(PREFIX, project_id)
    return db.read(lambda session: project_out(session, keys, own_project(session, me, project)))


@router.post(
    "/{project_id}/revisions",
    operation_id="reviseProject",
    summary="Revise its design 修订设计文件",
    status_code=201,
    response_model=ProjectOut,
    responses=WRITING,
)
def post_revision(  # noqa: PLR0917 -- the request, its body, who, and of which project
    request: Request,
    body: DesignRevisionIn,
    me: Owner,
    db: Db,
    keys: Secrets,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put another design in the place of the newest; reviews begin anew."""
    at, project, wish = now(), parse_public_id(PREFIX, project_id), wish_in(body.design)

    def deed(session: Session) -> ProjectOut:
        found = revise(session, keys, me, project, wish, note=body.note, at=at)
        return project_out(session, keys, found)

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.post(
    "/{project_id}/withdrawal",
    operation_id="withdrawProject",
    summary="Withdraw it 撤回项目",
    response_model=ProjectOut,
    responses=WRITING,
)
def post_withdrawal(  # noqa: PLR0917 -- likewise
    request: Request,
    body: ReasonIn,
    me: Owner,
    db: Db,
    keys: Secrets,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """End a project today; what it accrued stays, and its days until now may be reported."""
    at, project = now(), parse_public_id(PREFIX, project_id)

    def deed(session: Session) -> ProjectOut:
        return project_out(session, keys, withdraw(session, me, project, body.reason, at=at))

    return answer_once(request, db, me, idempotency_key, body, deed, status=200)


@router.post(
    "/{project_id}/reports",
    operation_id="sendMonitoringReport",
    summary="Send a monitoring report 提交监测报告",
    status_code=201,
    response_model=ReportOut,
    responses=WRITING,
)
def post_report(
    request: Request,
    body: ReportIn,
    me: Owner,
    db: Db,
    project_id: ProjectId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Lay a period's daily readings before the verifier, with the digests of what proves them."""
    at, project = now(), parse_public_id(PREFIX, project_id)
    new = report_in(body, new_id(), token_bytes(SALT_BYTES))

    def deed(session: Session) -> ReportOut:
        send_report(session, me, project, new, at=at)
        return report_out(session, own_project(session, me, project), new.id)

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get(
    "/{project_id}/reports",
    operation_id="listMonitoringReports",
    summary="Its monitoring reports 监测报告列表",
    responses=LISTED,
)
def list_reports(
    me: Owner, db: Db, project_id: ProjectId, limit: Limit = 50, cursor: Cursor = None
) -> ReportPage:
    """List a project's reports, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    project = db.read(own_project, me, parse_public_id(PREFIX, project_id))
    found = db.read(reports_of, project, before=before, limit=limit + 1)
    return page_of(ReportPage, found, limit, report_row, lambda last: (last.id,))


@router.get(
    "/{project_id}/reports/{report_id}",
    operation_id="getMonitoringReport",
    summary="A monitoring report with its working 查看监测报告",
    responses=problems(**DENIED, s404=UNKNOWN),
)
def get_report(me: Owner, db: Db, project_id: ProjectId, report_id: ReportId) -> ReportOut:
    """Give the readings, what proves them, and what each day came to."""
    project, report = parse_public_id(PREFIX, project_id), parse_public_id(REPORT, report_id)
    return db.read(lambda session: report_out(session, own_project(session, me, project), report))
