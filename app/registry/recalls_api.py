"""Recalls over HTTP (撤回接口): asked for and signed by regulators, public from then on."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.once import IdempotencyKey
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.registry.recall_schemas import (
    RecallIn,
    RecallOut,
    RecallPage,
    shown_recall,
    shown_recall_brief,
)
from app.registry.recalls import (
    PREFIX,
    ask_recall,
    find_recall,
    recalled_batches,
    recalled_by_days,
    recalls,
)
from app.staff import Approval, ApprovalOut, Asking, answer_asked

router = APIRouter(prefix="/v1/admin/recalls", tags=["registry 登记簿"])
public = APIRouter(prefix="/v1/public/recalls", tags=["public 公开"])

Regulator = Annotated[Principal, desk(Scope.UNITS_INVALIDATE)]
RecallId = Annotated[str, Path(max_length=40, examples=["rcl_01k0000000000000000000000a"])]
KEYED: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s422": "Not of the documented form, or the Idempotency-Key was used for another request.",
}


@router.post(
    "",
    operation_id="askRecall",
    summary="Ask for a recall of units 申请撤回",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(
        **KEYED,
        s404="No such batch.",
        s409="Nothing was issued of these acts, or a batch has fewer units left.",
    ),
)
def post_recall(
    request: Request, who: Regulator, db: Db, body: RecallIn, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask; another regulator's signature opens it. The request names what each batch would lose."""

    def asks(session: Session, asking: Asking) -> Approval:
        acts = None if body.acts is None else body.acts.acts()
        return ask_recall(session, asking, acts, _batches(session, body))

    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


@public.get(
    "",
    operation_id="listRecalls",
    summary="Recalls of units 撤回列表",
    responses=problems(s422="The cursor is not one of this list."),
)
def list_recalls(db: Db, limit: Limit = 50, cursor: Cursor = None) -> RecallPage:
    """List recalls, the newest first."""
    before = read_cursor(cursor, UUID)[0] if cursor else None
    found = db.read(recalls, before=before, limit=limit + 1)
    return page_of(RecallPage, found, limit, shown_recall_brief, lambda last: (last.id,))


@public.get(
    "/{recall_id}",
    operation_id="getRecall",
    summary="A recall, and what was done about it 撤回详情",
    responses=problems(s404="No such recall."),
)
def get_recall(db: Db, recall_id: RecallId) -> RecallOut:
    """Show a recall batch by batch."""
    return db.read(_whole, parse_public_id(PREFIX, recall_id))


def _whole(session: Session, recall: UUID | None) -> RecallOut:
    found = find_recall(session, recall)
    return shown_recall(found, recalled_batches(session, found.id))


def _batches(session: Session, body: RecallIn) -> Mapping[str, int]:
    named = body.named()
    return named if body.acts is None else recalled_by_days(session, body.acts.acts())
