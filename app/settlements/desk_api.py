"""Settlements at the desk over HTTP (结算管理接口): read by one, answered and paid by two."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.once import IdempotencyKey
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.settlements.deeds import ask_answer, ask_payout
from app.settlements.errors import AdjustmentsUnclear
from app.settlements.lines import PREFIX
from app.settlements.queries import all_disputes, all_settlements
from app.settlements.schemas import (
    DisputeAnswerIn,
    DisputePage,
    PayoutIn,
    SettlementDocument,
    SettlementPage,
)
from app.settlements.showing import (
    shown_dispute,
    shown_settlement,
    shown_whole,
    whole_settlement,
)
from app.staff import Approval, ApprovalOut, Asking, answer_asked

router = APIRouter(prefix="/v1/admin", tags=["settlements 结算"])

Payer = Annotated[Principal, desk(Scope.MERCHANTS_MANAGE)]
SettlementId = Annotated[str, Path(max_length=40, examples=["set_01k0000000000000000000000a"])]
DisputeId = Annotated[str, Path(max_length=40, examples=["dsp_01k0000000000000000000000e"])]
LISTED: Final = problems(**DENIED, s422="The cursor or the filter is not of the documented form.")
KEYED: Final = "The Idempotency-Key is missing."
FORM: Final = "The request is not of the documented form, or its key was used before."


@router.get(
    "/settlements",
    operation_id="listSettlements",
    summary="Every merchant's statements 结算单列表",
    responses=LISTED,
)
def list_settlements(
    _who: Payer,
    db: Db,
    *,
    is_payable: Annotated[
        bool | None, Query(alias="payable", description="Final, and not paid. 待付")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SettlementPage:
    """List statements, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(all_settlements, is_payable=is_payable, before=before, limit=limit + 1)
    return page_of(SettlementPage, found, limit, shown_settlement, lambda last: (last.id,))


@router.get(
    "/settlements/{settlement_id}",
    operation_id="getSettlement",
    summary="A statement of any merchant 查看商户结算单",
    responses=problems(**DENIED, s404="No such statement."),
)
def get_settlement(
    _who: Payer, db: Db, keys: Secrets, settlement_id: SettlementId
) -> SettlementDocument:
    """Give it as its merchant sees it."""
    whole = db.read(whole_settlement, parse_public_id(PREFIX, settlement_id))
    return shown_whole(whole, keys.receipt.public_key())


@router.post(
    "/settlements/{settlement_id}/payout",
    operation_id="askForPayout",
    summary="Ask that a payment be noted 申请登记付款",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(
        **DENIED,
        s400=KEYED,
        s404="No such statement.",
        s409="It is not final, was paid, comes to nothing, or the same awaits its signature.",
        s422=FORM,
    ),
)
def post_payout(
    request: Request,
    body: PayoutIn,
    who: Payer,
    db: Db,
    settlement_id: SettlementId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature takes the net out of the merchant's account, once."""

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_payout(session, asking, settlement_id, body.reference)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.get(
    "/settlement-disputes",
    operation_id="listSettlementDisputes",
    summary="Every merchant's disputes 结算争议列表",
    responses=LISTED,
)
def list_disputes(
    _who: Payer,
    db: Db,
    *,
    is_open: Annotated[bool | None, Query(alias="open", description="Unanswered only.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DisputePage:
    """List disputes, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(all_disputes, is_open=is_open, before=before, limit=limit + 1)
    return page_of(DisputePage, found, limit, shown_dispute, lambda last: (last.id,))


@router.post(
    "/settlement-disputes/{dispute_id}/answer",
    operation_id="askForDisputeAnswer",
    summary="Ask that a dispute be answered 申请答复争议",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(
        **DENIED,
        s400=KEYED,
        s404="No such dispute, or no such programme.",
        s409="It was answered, or the same awaits its signature.",
        s422=FORM,
    ),
)
def post_answer(
    request: Request,
    body: DisputeAnswerIn,
    who: Payer,
    db: Db,
    dispute_id: DisputeId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; with the second signature what is granted is a line of the next statement."""
    adjustments = {each.programme: each.fen for each in body.adjustments}
    if len(adjustments) < len(body.adjustments) or not all(adjustments.values()):
        raise AdjustmentsUnclear
    said = {"answer": body.answer, "adjustments": adjustments}

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_answer(session, asking, dispute_id, said)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)
