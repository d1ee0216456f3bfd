"""Appeals over HTTP (申诉接口): raise and read one's own; the desk's queue and its decisions."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.kernel.auth import Me, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Configuration, Db
from app.staff import Approval, ApprovalOut, Asking, answer_asked, note_act
from app.wallet.appeal_schemas import (
    AppealIn,
    AppealOut,
    AppealPage,
    DecisionIn,
    DeskAppealOut,
    DeskAppealPage,
    DeskCaseOut,
    UpholdingIn,
    shown_appeal,
    shown_at_desk,
)
from app.wallet.appeals import (
    APPEAL,
    State,
    appeal_of,
    appeals_at_desk,
    appeals_of,
    decide_appeal,
    raise_appeal,
)
from app.wallet.errors import ActivityUnknown, AppealUnknown
from app.wallet.telling import told_act
from app.wallet.upholding import Order, ask_upholding

FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)
KEY_WORDS: Final = "The Idempotency-Key is missing."

Clerk = Annotated[Principal, desk(Scope.APPEALS_DECIDE)]
AppealId = Annotated[str, Path(max_length=40)]
router = APIRouter(tags=["appeals 申诉"])


@router.post(
    "/v1/me/appeals",
    operation_id="raiseAppeal",
    summary="Contest what became of an activity 提出申诉",
    status_code=201,
    response_model=AppealOut,
    responses=problems(
        s400=KEY_WORDS,
        s404="There is no such activity, or it is somebody else's.",
        s409="Its outcome is another, its time is over, or an appeal is open.",
        s422="The appeal is not in its form, or the key was used for another.",
    ),
)
def post_appeal(
    request: Request, db: Db, me: Me, body: AppealIn, idempotency_key: IdempotencyKey = None
) -> Response:
    """Raise an appeal; it is decided within fifteen days."""
    activity, appeal, at = parse_public_id("act", body.activity), new_id(), now()

    def deed(session: Session) -> AppealOut:
        if activity is None:
            raise ActivityUnknown
        place = (me.bucket, me.owner, activity)
        made = raise_appeal(session, *place, body.contests, body.reason, id_=appeal, at=at)
        return shown_appeal(made, at)

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get("/v1/me/appeals", operation_id="listAppeals", summary="My appeals 我的申诉")
def list_appeals(db: Db, me: Me, cursor: Cursor = None, limit: Limit = 50) -> AppealPage:
    """List my appeals with what was answered, newest first."""
    at = now()
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(appeals_of, me.bucket, me.owner, before=before, limit=limit + 1)
    return page_of(AppealPage, found, limit, partial(shown_appeal, at=at), lambda last: (last.id,))


@router.get(
    "/v1/admin/appeals",
    operation_id="listDeskAppeals",
    summary="Appeals by state, the soonest due first 申诉工单",
)
def list_desk_appeals(
    db: Db,
    clerk: Clerk,
    state: Annotated[State, Query(description="Open ones include the overdue. 状态")] = "open",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DeskAppealPage:
    """List what awaits a decision, what is overdue, or what was decided."""
    del clerk
    at = now()
    (after,) = read_cursor(cursor, UUID) if cursor else (FIRST,)
    found = db.read(appeals_at_desk, state, after=after, limit=limit + 1, at=at)
    told = partial(shown_at_desk, at=at)
    return page_of(DeskAppealPage, found, limit, told, lambda last: (last.id,))


@router.get(
    "/v1/admin/appeals/{appeal_id}",
    operation_id="getDeskAppeal",
    summary="One appeal with the activity that it contests 申诉详情",
    responses=problems(s404="There is no such appeal."),
)
def get_desk_appeal(db: Db, clerk: Clerk, appeal_id: AppealId) -> DeskCaseOut:
    """Show what a clerk needs to decide; that they looked is an entry of the audit log."""
    return db.transact(_look, clerk.name, _named(appeal_id), at=now())


@router.post(
    "/v1/admin/appeals/{appeal_id}/decision",
    operation_id="decideAppeal",
    summary="Reject an appeal, or uphold it in words 处理申诉",
    status_code=201,
    response_model=DeskAppealOut,
    responses=problems(
        s400=KEY_WORDS,
        s404="There is no such appeal.",
        s409="It was decided before.",
        s422="The decision is not in its form, or the key was used for another.",
    ),
)
def post_decision(
    request: Request,
    db: Db,
    clerk: Clerk,
    body: DecisionIn,
    appeal_id: AppealId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Decide an appeal, once, without posting anything: one clerk may."""
    at, order = now(), body.correction and body.correction.order

    def deed(session: Session) -> DeskAppealOut:
        appeal = _named(appeal_id)
        return shown_at_desk(
            decide_appeal(session, clerk.name, appeal, body.answer, order, at=at), at
        )

    return answer_once(request, db, clerk, idempotency_key, body, deed)


@router.post(
    "/v1/admin/appeals/{appeal_id}/upholding",
    operation_id="askForUpholding",
    summary="Ask to uphold an appeal and post its correction 申请支持申诉并更正入账",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(
        s400=KEY_WORDS,
        s404="There is no such appeal.",
        s409="It was decided before, or awaits its second signature already.",
        s422="It is not in its form, its quantities cannot be posted, or the key was used before.",
    ),
)
def post_upholding(  # noqa: PLR0917 -- the request, its key, who, which, and what
    request: Request,
    db: Db,
    settings: Configuration,
    clerk: Clerk,
    body: UpholdingIn,
    appeal_id: AppealId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask, shown what it comes to; a second person's signature decides and posts it."""
    order = Order(body.answer, body.order, body.inputs, settings.acceptance_window_days)

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_upholding(session, asking, _named(appeal_id), order)

    return answer_asked(request, db, clerk, idempotency_key, body, asks, reason=body.answer)


def _look(session: Session, clerk: str, appeal: UUID, *, at: datetime) -> DeskCaseOut:
    known = appeal_of(session, appeal)
    activity = told_act(session, known.bucket, known.owner, known.activity)
    note_act(session, clerk, "appeal.read", known.name, at=at, activity=activity.id)
    return DeskCaseOut(appeal=shown_at_desk(known, at), activity=activity)


def _named(appeal_id: str) -> UUID:
    found = parse_public_id(APPEAL, appeal_id)
    if found is None:
        raise AppealUnknown
    return found
