"""A citizen's orders and vouchers over HTTP (订单与券接口)."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.params import Depends
from sqlmodel import Session

from app.kernel.auth import Me
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.limits import Limit as Rate
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.secrets import Keys
from app.kernel.wiring import Configuration, Db, Limited, Secrets
from app.mall.offline import write_token
from app.mall.order_answers import shown_order, shown_quote, shown_voucher
from app.mall.order_errors import OfferUnknown, OrderUnknown, VoucherUnknown
from app.mall.order_schemas import (
    OfferId,
    OfflineOut,
    OrderIn,
    OrderOut,
    OrderPage,
    OrderQuoteOut,
    VoucherOut,
)
from app.mall.ordering import OrderIds, Wish, cancel, open_offline, place
from app.mall.orders import order_of, order_of_voucher, order_quote, orders_of
from app.mall.vouchers import PREFIX, code_hash, key_of, printed_code

LAST: Final = UUID(int=2**128 - 1)
KEYED: Final = "The Idempotency-Key is missing."
FORM: Final = "The request is not in its form, or the key was used for another."
OFTEN: Final = "Too often in an hour; Retry-After says when to come again."
ORDER_UNKNOWN: Final = "You have no such order."
OrderId = Annotated[str, Path(max_length=40, description="订单编号")]
VoucherId = Annotated[str, Path(max_length=40, description="券编号")]

router = APIRouter(tags=["mall 商城"])


def few_of_citizen(name: str) -> Depends:
    """Count each request of a citizen; stands among an endpoint's ``dependencies``."""

    def count(me: Me, limits: Limited, keys: Secrets, settings: Configuration) -> None:
        """Count a try: whatever comes of it, it locks rows that others order from.

        Raises:
            LimitExceeded: There were too many.
        """
        limit = Rate(name, settings.orders_hourly_max, timedelta(hours=1))
        limits.take([(limit, keys.login_hash(name, me.id.bytes))], at=now())

    return Depends(count)


@router.get(
    "/v1/orders/quote",
    operation_id="quoteOrder",
    summary="What an order would take now 下单试算",
    responses=problems(
        s404="There is no such offer.",
        s409="It is not on sale now.",
        s422="The query is not in its form.",
    ),
)
def get_quote(
    db: Db,
    me: Me,
    offer: Annotated[OfferId, Query()],
    quantity: Annotated[int, Query(ge=1, le=20, description="数量")] = 1,
) -> OrderQuoteOut:
    """Show which classes of points would pay, and what would be left; promises nothing."""
    facts = (me.bucket, me.owner, _offer(offer), quantity)
    return shown_quote(db.read(order_quote, *facts, at=now()), offer, quantity)


@router.post(
    "/v1/orders",
    operation_id="placeOrder",
    summary="Order an offer for points 下单",
    status_code=201,
    response_model=OrderOut,
    dependencies=[few_of_citizen("orders.placed")],
    responses=problems(
        s400=KEYED,
        s404="There is no such offer.",
        s409="Sold out, a limit is reached, too few points, or not as it was shown any more.",
        s422=FORM,
        s429=OFTEN,
    ),
)
def post_order(
    request: Request,
    db: Db,
    keys: Secrets,
    me: Me,
    body: OrderIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Reserve points, earliest expiry first, and the offer; a donation is redeemed at once."""
    at, ids = now(), _new_ids(keys)
    shown = (body.version, body.price_points, body.price_fen, body.quantity)

    def deed(session: Session) -> OrderOut:
        wish = Wish(_offer(body.offer), *shown)
        place(session, me.bucket, me.owner, wish, ids, at=at)
        return shown_order(order_of(session, me.bucket, me.owner, ids.order), at)

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get(
    "/v1/orders",
    operation_id="listOrders",
    summary="My orders 我的订单",
    responses=problems(s422="The cursor is not of the documented form."),
)
def list_orders(db: Db, me: Me, cursor: Cursor = None, limit: Limit = 50) -> OrderPage:
    """List my orders, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(orders_of, me.bucket, me.owner, before=before, limit=limit + 1)
    told = partial(shown_order, at=now())
    return page_of(OrderPage, found, limit, told, lambda last: (last.row.id,))


@router.get(
    "/v1/orders/{order_id}",
    operation_id="getOrder",
    summary="One of my orders 单个订单",
    responses=problems(s404=ORDER_UNKNOWN),
)
def get_order(db: Db, me: Me, order_id: OrderId) -> OrderOut:
    """Show one of my orders."""
    return shown_order(db.read(order_of, me.bucket, me.owner, _order(order_id)), now())


@router.post(
    "/v1/orders/{order_id}/cancel",
    operation_id="cancelOrder",
    summary="Cancel an order 取消订单",
    response_model=OrderOut,
    dependencies=[few_of_citizen("orders.cancelled")],
    responses=problems(
        s400=KEYED,
        s404=ORDER_UNKNOWN,
        s409="It has ended, or a till without a network may have taken its voucher.",
        s422=FORM,
        s429=OFTEN,
    ),
)
def post_cancel(
    request: Request, db: Db, me: Me, order_id: OrderId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Give the points back in the classes they came from, and the offer its units."""
    at, released = now(), new_id()

    def deed(session: Session) -> OrderOut:
        owner = (me.bucket, me.owner, _order(order_id))
        cancel(session, *owner, released=released, at=at)
        return shown_order(order_of(session, *owner), at)

    return answer_once(request, db, me, idempotency_key, None, deed, status=200)


@router.post(
    "/v1/orders/{order_id}/offline",
    operation_id="openOffline",
    summary="Make a voucher ready for tills without a network 开通离线券",
    status_code=201,
    response_model=OfflineOut,
    responses=problems(
        s400=KEYED,
        s404=ORDER_UNKNOWN,
        s409="It has ended, or this merchant's tills may take no more unseen.",
        s422=FORM,
    ),
)
def post_offline(
    request: Request,
    db: Db,
    keys: Secrets,
    me: Me,
    order_id: OrderId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give a signed text that a till can check alone; the order cannot be cancelled meanwhile."""
    at = now()

    def deed(session: Session) -> OfflineOut:
        owner = (me.bucket, me.owner, _order(order_id))
        until = open_offline(session, *owner, at=at)
        return _offline(keys, session, owner, until)

    return answer_once(request, db, me, idempotency_key, None, deed)


@router.get(
    "/v1/vouchers/{voucher_id}",
    operation_id="getVoucher",
    summary="One of my vouchers, to be shown 出示券",
    responses=problems(
        s404="You have no such voucher.", s409="It was redeemed, cancelled, reversed, or is over."
    ),
)
def get_voucher(db: Db, keys: Secrets, me: Me, voucher_id: VoucherId) -> VoucherOut:
    """Show the code of this moment, and the key to make the next ones without a network."""
    voucher = parse_public_id(PREFIX, voucher_id)
    if voucher is None:
        raise VoucherUnknown
    return shown_voucher(keys, db.read(order_of_voucher, me.bucket, me.owner, voucher), now())


def _offline(
    keys: Keys, session: Session, owner: tuple[int, int, UUID], until: datetime
) -> OfflineOut:
    row = order_of(session, *owner).row
    token = write_token(keys.receipt, row, until)
    return OfflineOut(voucher=public_id(PREFIX, row.voucher), token=token, until=until)


def _new_ids(keys: Keys) -> OrderIds:
    voucher = new_id()
    code = code_hash(keys, printed_code(key_of(keys, voucher)))
    return OrderIds(new_id(), voucher, code, new_id(), new_id())


def _offer(text: str) -> UUID:
    found = parse_public_id("off", text)
    if found is None:
        raise OfferUnknown
    return found


def _order(text: str) -> UUID:
    found = parse_public_id("ord", text)
    if found is None:
        raise OrderUnknown
    return found
