"""The market over HTTP (市场接口): what organisations list, ask the price of, buy and sold.

Whatever has a buyer or a seller is looked for among one's own: another's is as if it were nobody's.
"""

from datetime import timedelta
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import Day, problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.wiring import Configuration, Db
from app.market.listings import PREFIX as LISTING_PREFIX
from app.market.listings import (
    Listing,
    find_listing,
    list_units,
    listings_of,
    open_listings,
    withdraw,
)
from app.market.payments import payments_of
from app.market.payouts import earned_by
from app.market.purchases import PREFIX, Buying, buy, cancel, find_purchase, purchases
from app.market.quotes import PREFIX as QUOTE_PREFIX
from app.market.quotes import quote
from app.market.schemas import (
    ListingIn,
    ListingOut,
    ListingPage,
    ProceedsOut,
    PurchaseIn,
    PurchaseOut,
    PurchasePage,
    QuoteIn,
    QuoteOut,
)
from app.market.showing import shown_listing, shown_purchase, shown_quote
from app.market.trades import CSV, csv_of, trades_of
from app.market.wishes import plan_of, terms_of
from app.organisations import OrganisationMember, member
from app.staff import note_act

router = APIRouter(prefix="/v1", tags=["market 市场"])

Trader = Annotated[OrganisationMember, member(Scope.UNITS_TRADE)]
ListingId = Annotated[str, Path(max_length=40, examples=["lst_01k0000000000000000000000a"])]
PurchaseId = Annotated[str, Path(max_length=40, examples=["pur_01k0000000000000000000000a"])]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "Your role may not do this, or you or your organisation are suspended.",
}
WRITING: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s422": "The request is not of the documented form, or its key was used before.",
}
LISTED: Final = problems(**DENIED, s422="The cursor or the filter is not of the documented form.")


@router.get(
    "/listings",
    operation_id="listListings",
    summary="What can be bought 挂牌列表",
    responses=LISTED,
)
def list_listings(
    me: Trader,
    db: Db,
    *,
    is_own: Annotated[
        bool, Query(alias="own", description="Your own ones, whatever became of them. 本机构")
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ListingPage:
    """List what is open and not sold out, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    asked = partial(listings_of, seller=me.organisation) if is_own else _open
    found = db.read(asked, before=before, limit=limit + 1)
    return page_of(ListingPage, found, limit, shown_listing, lambda last: (last.id,))


@router.post(
    "/listings",
    operation_id="listUnits",
    summary="Offer units of yours 挂牌",
    status_code=201,
    response_model=ListingOut,
    responses=problems(
        **WRITING, s404="There is no such batch.", s409="You do not have so many units of it."
    ),
)
def post_listing(
    request: Request, body: ListingIn, me: Trader, db: Db, idempotency_key: IdempotencyKey = None
) -> Response:
    """Offer units; they stay at your disposal until somebody buys them."""
    at, listing = now(), new_id()
    terms = terms_of(body, at=at)
    seller = (me.organisation, me.who.owner)

    def deed(session: Session) -> ListingOut:
        made = list_units(session, seller, terms, listing=listing, by=me.who.name, at=at)
        note_act(session, me.who.name, "market.list", made.public, at=at, fen=made.price_fen)
        return shown_listing(made)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.get(
    "/listings/{listing_id}",
    operation_id="getListing",
    summary="One listing 单个挂牌",
    responses=problems(**DENIED, s404="There is no such listing."),
)
def get_listing(_me: Trader, db: Db, listing_id: ListingId) -> ListingOut:
    """Show a listing, one that is over too."""
    return shown_listing(db.read(find_listing, parse_public_id(LISTING_PREFIX, listing_id)))


@router.post(
    "/listings/{listing_id}/withdraw",
    operation_id="withdrawListing",
    summary="Take an offer of yours back 撤回挂牌",
    response_model=ListingOut,
    responses=problems(**WRITING, s404="Your organisation has no such listing."),
)
def post_withdrawal(
    request: Request,
    me: Trader,
    db: Db,
    listing_id: ListingId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Sell nothing more of it; what is reserved can still be paid for."""
    at, listing = now(), parse_public_id(LISTING_PREFIX, listing_id)

    def deed(session: Session) -> ListingOut:
        done = withdraw(session, me.organisation, listing, at=at)
        note_act(session, me.who.name, "market.withdraw", done.public, at=at)
        return shown_listing(done)

    return answer_once(request, db, me.who, idempotency_key, None, deed, status=200)


@router.post(
    "/quotes",
    operation_id="quoteUnits",
    summary="Ask what a quantity costs 询价",
    status_code=201,
    response_model=QuoteOut,
    responses=problems(
        **WRITING,
        s404="There is no such listing.",
        s409="It is closed, yours, has less left, sells no less than its minimum, or too many of "
        "your quotes are open.",
    ),
)
def post_quote(
    request: Request,
    body: QuoteIn,
    me: Trader,
    db: Db,
    settings: Configuration,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Fix the price of a quantity until the quote expires; nothing is reserved."""
    at, quoted = now(), new_id()
    listing, valid_for = (
        parse_public_id(LISTING_PREFIX, body.listing),
        timedelta(minutes=settings.market_quote_minutes),
    )

    def deed(session: Session) -> QuoteOut:
        who, by = me.organisation, me.who.name
        wanted = (listing, body.quantity_kg)
        made = quote(session, who, *wanted, quote=quoted, by=by, valid_for=valid_for, at=at)
        return shown_quote(made)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.post(
    "/purchases",
    operation_id="buyUnits",
    summary="Buy what a quote names 购买",
    status_code=201,
    response_model=PurchaseOut,
    responses=problems(
        **WRITING,
        s404="Your organisation has no such quote.",
        s409="It expired or was used, the listing has less left, too many purchases await payment, "
        "or the units may not serve this.",
    ),
)
def post_purchase(
    request: Request,
    body: PurchaseIn,
    me: Trader,
    db: Db,
    settings: Configuration,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Reserve the units until they are paid for, or until `expires_at`."""
    at, made, held = now(), new_id(), new_id()
    hold_for = timedelta(hours=settings.market_hold_hours)
    buying = Buying(me.organisation, me.who.owner, me.who.name, hold_for)
    quoted, plan = parse_public_id(QUOTE_PREFIX, body.quote), plan_of(body.retire)

    def deed(session: Session) -> PurchaseOut:
        done = buy(session, buying, quoted, plan, purchase=made, held=held, at=at)
        note_act(session, me.who.name, "market.buy", done.public, at=at, fen=done.due_fen)
        return shown_purchase(done, payments_of(settings), at=at)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.get(
    "/purchases",
    operation_id="listPurchases",
    summary="What you bought 购买列表",
    responses=LISTED,
)
def list_purchases(
    me: Trader, db: Db, settings: Configuration, limit: Limit = 50, cursor: Cursor = None
) -> PurchasePage:
    """List your purchases, the newest first."""
    at, (before,) = now(), read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(purchases, me.organisation, before=before, limit=limit + 1, at=at)
    told = partial(shown_purchase, payments=payments_of(settings), at=at)
    return page_of(PurchasePage, found, limit, told, lambda last: (last.id,))


@router.get(
    "/purchases/{purchase_id}",
    operation_id="getPurchase",
    summary="One purchase 单笔购买",
    responses=problems(**DENIED, s404="Your organisation has no such purchase."),
)
def get_purchase(
    me: Trader, db: Db, settings: Configuration, purchase_id: PurchaseId
) -> PurchaseOut:
    """Show what became of a purchase, and while it is reserved how to pay."""
    found = db.read(find_purchase, me.organisation, parse_public_id(PREFIX, purchase_id))
    return shown_purchase(found, payments_of(settings), at=now())


@router.post(
    "/purchases/{purchase_id}/cancel",
    operation_id="cancelPurchase",
    summary="Cancel a purchase that is not paid for 取消购买",
    response_model=PurchaseOut,
    responses=problems(
        **WRITING,
        s404="Your organisation has no such purchase.",
        s409="It was paid for, cancelled or has expired.",
    ),
)
def post_cancel(
    request: Request,
    me: Trader,
    db: Db,
    settings: Configuration,
    purchase_id: PurchaseId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Let go of the units; do not, if you have paid: the payment would find nothing."""
    at, bought = now(), parse_public_id(PREFIX, purchase_id)

    def deed(session: Session) -> PurchaseOut:
        done = cancel(session, me.organisation, bought, new_id=new_id, at=at)
        note_act(session, me.who.name, "market.cancel", done.public, at=at)
        return shown_purchase(done, payments_of(settings), at=at)

    return answer_once(request, db, me.who, idempotency_key, None, deed, status=200)


@router.get(
    "/trades.csv",
    operation_id="getTradeStatement",
    summary="What you bought and sold, as a table 交易流水",
    response_class=Response,
    responses={
        200: {"content": {CSV: {}}},
        **problems(**DENIED, s422="A day is not one, or that is too much for one statement."),
    },
)
def get_trades(me: Trader, db: Db, since: Day, until: Day) -> Response:
    """Give a row for each purchase or sale begun from ``since`` to ``until``, both inclusive."""
    rows = db.read(trades_of, me.organisation, since, until, at=now())
    headers = {"content-disposition": f'attachment; filename="trades-{since}-{until}.csv"'}
    return Response(csv_of(rows), headers=headers, media_type=CSV)


@router.get(
    "/proceeds",
    operation_id="getProceeds",
    summary="What your sales brought you 销售收入",
    responses=problems(**DENIED),
)
def get_proceeds(me: Trader, db: Db) -> ProceedsOut:
    """Give what was earned and what of it was paid out."""
    found = db.read(earned_by, me.organisation)
    return ProceedsOut(**found._asdict(), payable_fen=found.payable_fen)


def _open(session: Session, *, before: UUID | None, limit: int) -> list[Listing]:
    return open_listings(session, at=now(), before=before, limit=limit)
