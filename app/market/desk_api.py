"""The market at the desk (市场管理接口): the operator's listings, payments that came, payouts."""

from datetime import timedelta
from functools import partial
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
from app.kernel.wiring import Configuration, Db
from app.market.deeds import ask_listing, ask_payment, ask_payout, new_salt, note_payment
from app.market.listings import PREFIX as LISTING_PREFIX
from app.market.listings import withdraw
from app.market.paying import alone_fen, confirm, is_confirmed
from app.market.payments import Confirmation, payments_of
from app.market.purchases import PREFIX, lock_purchase, purchases
from app.market.schemas import (
    DeskListingIn,
    ListingOut,
    PaymentIn,
    PaymentOut,
    ProceedsPayoutIn,
    PurchasePage,
)
from app.market.showing import shown_listing, shown_purchase
from app.market.wishes import terms_of
from app.organisations import operator_of
from app.staff import ApprovalOut, Asking, answer_asked, note_act
from app.staff.schemas import approval_out

router = APIRouter(prefix="/v1/admin/market", tags=["market 市场"])

Manager = Annotated[Principal, desk(Scope.MARKET_MANAGE)]
ListingId = Annotated[str, Path(max_length=40, examples=["lst_01k0000000000000000000000a"])]
PurchaseId = Annotated[str, Path(max_length=40, examples=["pur_01k0000000000000000000000a"])]
OrganisationId = Annotated[str, Path(max_length=40, examples=["org_01k0000000000000000000000a"])]
WRITING: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s422": "The request is not of the documented form, or its key was used before.",
}


@router.post(
    "/listings",
    operation_id="askForListing",
    summary="Ask that units of the operator's be offered 申请挂牌运营方减排量",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(
        **WRITING,
        s404="There is no such batch.",
        s409="The operator has not so many units of it, or the same awaits its signature.",
    ),
)
def post_listing(
    request: Request,
    body: DeskListingIn,
    who: Manager,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; with the second signature it can be bought."""
    asks = partial(ask_listing, terms=terms_of(body, at=now()))
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/listings/{listing_id}/withdraw",
    operation_id="withdrawOperatorListing",
    summary="Take an offer of the operator's back 撤回运营方挂牌",
    response_model=ListingOut,
    responses=problems(
        **WRITING,
        s404="The operator has no such listing.",
        s409="The operator's own organisation was not opened yet.",
    ),
)
def post_withdrawal(
    request: Request,
    who: Manager,
    db: Db,
    listing_id: ListingId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Sell nothing more of it; what is reserved can still be paid for."""
    at, listing = now(), parse_public_id(LISTING_PREFIX, listing_id)

    def deed(session: Session) -> ListingOut:
        done = withdraw(session, operator_of(session).id, listing, at=at)
        note_act(session, who.name, "market.withdraw", done.public, at=at)
        return shown_listing(done)

    return answer_once(request, db, who, idempotency_key, None, deed, status=200)


@router.get(
    "/purchases",
    operation_id="listAllPurchases",
    summary="Every organisation's purchases 全部购买",
    responses=problems(**DENIED, s422="The cursor or the filter is not of the documented form."),
)
def list_purchases(
    _who: Manager,
    db: Db,
    settings: Configuration,
    *,
    is_open: Annotated[bool, Query(alias="open", description="Awaiting payment. 待付款")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PurchasePage:
    """List purchases, the newest first."""
    at, (before,) = now(), read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(purchases, None, is_open=is_open, before=before, limit=limit + 1, at=at)
    told = partial(shown_purchase, payments=payments_of(settings), at=at)
    return page_of(PurchasePage, found, limit, told, lambda last: (last.id,))


@router.post(
    "/purchases/{purchase_id}/payment",
    operation_id="confirmPayment",
    summary="Confirm a payment that came 确认到账",
    response_model=PaymentOut,
    responses=problems(
        **WRITING,
        s404="There is no such purchase.",
        s409="It has ended, the buyer is suspended, the amount or the reference is another, or the "
        "same is being signed.",
    ),
)
def post_payment(
    request: Request,
    body: PaymentIn,
    who: Manager,
    db: Db,
    settings: Configuration,
    *,
    purchase_id: PurchaseId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Deliver the units; where a day's sum passes the limit ask, and hold them meanwhile."""
    at, payments, asked = now(), payments_of(settings), new_id()
    told = Confirmation(payments.method, body.reference, body.fen, body.received_on, who.name)
    wanted, hold_for = (
        parse_public_id(PREFIX, purchase_id),
        timedelta(hours=settings.market_hold_hours),
    )

    def deed(session: Session) -> PaymentOut:
        approval = None
        sum_fen = alone_fen(session, wanted, told, at=at)
        if payments.needs_two(sum_fen) and not is_confirmed(session, wanted, told):
            asking = Asking(who, body.reason, asked, at)
            approval = ask_payment(session, asking, purchase_id, told, hold_for=hold_for)
        else:
            confirm(session, wanted, told, new_id=new_id, new_salt=new_salt, at=at)
            note_payment(session, who.name, purchase_id, told, at=at)
        shown = shown_purchase(lock_purchase(session, wanted), payments, at=at)
        return PaymentOut(purchase=shown, approval=approval and approval_out(approval))

    return answer_once(request, db, who, idempotency_key, body, deed, status=200)


@router.post(
    "/organisations/{organisation_id}/payout",
    operation_id="askForProceedsPayout",
    summary="Ask that a payment to a seller be noted 申请登记销售款付款",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(
        **WRITING,
        s404="There is no such organisation.",
        s409="It has earned less than that, or the same awaits its signature.",
    ),
)
def post_payout(
    request: Request,
    body: ProceedsPayoutIn,
    who: Manager,
    db: Db,
    organisation_id: OrganisationId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature takes it out of the organisation's money, once."""
    facts = {"organisation": organisation_id, "fen": body.fen, "reference": body.reference}
    asks = partial(ask_payout, **facts)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)
