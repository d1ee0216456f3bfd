"""Merchants at the desk over HTTP (商户管理接口): as firms, and what is agreed with them."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.firms.desk_api import ASKED, add_desk
from app.kernel.auth import desk
from app.kernel.ids import new_id
from app.kernel.once import IdempotencyKey
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.merchants.deeds import FIRMS
from app.merchants.registry import SORT, find_merchant
from app.merchants.schemas import WIRES, TermsIn
from app.staff import Approval, ApprovalOut, Asking, answer_asked

router = APIRouter(tags=["merchants 商户"])

Manager = Annotated[Principal, desk(Scope.MERCHANTS_MANAGE)]
MerchantId = Annotated[str, Path(max_length=40, examples=["mer_01k0000000000000000000000a"])]


@router.post(
    "/v1/admin/merchant-applications/{merchant_id}/approval",
    operation_id="askForMerchantApproval",
    summary="Ask that an application be approved 申请批准入驻",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_approval(
    request: Request,
    body: TermsIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature opens the merchant, and its first owner may enrol."""
    owner = new_id()

    def asks(session: Session, asking: Asking) -> Approval:
        return FIRMS.ask_approval(session, asking, merchant_id, owner, _terms(body))

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/merchants/{merchant_id}/terms",
    operation_id="askForMerchantTerms",
    summary="Ask for another fee or offline cap 申请变更费率或离线上限",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_terms(
    request: Request,
    body: TermsIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature puts them in force from the next redemption and statement on."""

    def asks(session: Session, asking: Asking) -> Approval:
        found = find_merchant(session, SORT.firm_of(merchant_id)).public
        return FIRMS.ask(session, asking, "terms", found, _terms(body))

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


add_desk(router, FIRMS, WIRES)


def _terms(body: TermsIn) -> Mapping[str, int]:
    return {"fee_permille": body.fee_permille, "offline_cap_points": body.offline_cap_points}
