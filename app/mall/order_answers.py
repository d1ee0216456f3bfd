"""Orders, vouchers and redemptions as the API gives them (订单的展示)."""

from datetime import UTC, datetime
from typing import Any, cast

from app.kernel.clock import SHANGHAI
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.mall.offline import Outcome
from app.mall.order_errors import OrderEnded, VoucherExpired, refusal_of
from app.mall.order_schemas import (
    MerchantNamed,
    OfferNamed,
    OfflineOutcomeOut,
    OrderOut,
    OrderQuoteOut,
    PartOut,
    RedemptionOut,
    ReversalOut,
    VoucherOut,
)
from app.mall.orders import Order, OrderQuote, OrderRow, Part
from app.mall.redeeming import Redemption
from app.mall.reversing import Reversal
from app.mall.vouchers import PREFIX, STEP_S, key_of, printed_code, qr_text, step_at


def shown_quote(found: OrderQuote, offer: str, quantity: int) -> OrderQuoteOut:
    """Show what an order would take."""
    return OrderQuoteOut(
        offer=offer,
        version=found.version,
        quantity=quantity,
        points=found.points,
        fen=found.fen,
        parts=[_part(each) for each in found.parts],
        available_points=found.available,
        available_after_points=max(found.available - found.points, 0),
        missing_points=found.missing,
    )


def shown_order(found: Order, at: datetime) -> OrderOut:
    """Show an order to whoever placed it."""
    row = found.row
    return OrderOut(
        id=public_id("ord", row.id),
        state=cast("Any", row.state_at(at)),
        offer=_offer(row),
        version=row.offer_version,
        merchant=MerchantNamed(
            id=public_id("mer", row.merchant), name_zh=row.merchant_zh, name_en=row.merchant_en
        ),
        quantity=row.quantity,
        points=row.points,
        fen=row.fen,
        parts=[_part(each) for each in found.parts],
        voucher=public_id(PREFIX, row.voucher),
        placed_at=row.placed_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        offline_until=row.offline_until,
    )


def shown_voucher(keys: Keys, row: OrderRow, at: datetime) -> VoucherOut:
    """Show a voucher with its codes, while it can be redeemed.

    Raises:
        OrderEnded, VoucherExpired, VoucherCancelled, VoucherReversed: See their own words.
    """
    state = row.state_at(at)
    if state == "redeemed":
        raise OrderEnded(state=state)
    if state != "reserved":
        raise refusal_of(f"voucher.{state}")
    if row.ends_at <= at:
        raise VoucherExpired
    key = key_of(keys, row.voucher)
    code = printed_code(key).upper()
    return VoucherOut(
        id=public_id(PREFIX, row.voucher),
        order=public_id("ord", row.id),
        offer=_offer(row),
        quantity=row.quantity,
        ends_at=row.ends_at,
        qr=qr_text(key, row.voucher, at),
        refresh_at=datetime.fromtimestamp((step_at(at) + 1) * STEP_S, UTC),
        key=key.hex(),
        printed="-".join((code[:4], code[4:8], code[8:])),
    )


def shown_redemption(found: Redemption, *, chinese: bool) -> RedemptionOut:
    """Show a redemption to its merchant."""
    return RedemptionOut(
        id=public_id("rdm", found.id),
        voucher=public_id(PREFIX, found.id),
        state="reversed" if found.outcome == "reversed" else "redeemed",
        offer=public_id("off", found.offer),
        title_zh=found.title_zh,
        title_en=found.title_en,
        quantity=found.quantity,
        points=found.points,
        fen=found.fen,
        claim_fen=found.claim_fen,
        redeemed_at=found.redeemed_at,
        till=None if found.till is None else public_id("til", found.till),
        message=_message(found, chinese=chinese),
    )


def shown_outcome(found: Outcome, *, chinese: bool) -> OfflineOutcomeOut:
    """Show what came of a voucher that was taken without a network."""
    if found.redemption is None:
        assert found.refusal is not None, found
        return OfflineOutcomeOut(outcome=found.refusal.code, redemption=None)
    shown = shown_redemption(found.redemption, chinese=chinese)
    return OfflineOutcomeOut(outcome=found.redemption.outcome, redemption=shown)


def shown_reversal(found: Reversal, redemption: str) -> ReversalOut:
    """Show what came of asking for a reversal."""
    return ReversalOut(
        redemption=redemption,
        state="asked" if found.id is None else "reversed",
        id=None if found.id is None else public_id("rev", found.id),
        reversed_at=found.reversed_at,
        points=found.points,
    )


def _message(found: Redemption, *, chinese: bool) -> str:
    """Say what a keeper reads: with its day, or yesterday's coffee passes for today's."""
    if found.outcome == "redeemed":
        return "核销成功" if chinese else "Redeemed"
    when = f"{found.redeemed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if found.outcome == "before":
        return f"本店已于 {when} 核销" if chinese else f"Already redeemed here at {when}"
    return f"{when} 核销" if chinese else f"Redeemed at {when}"


def _offer(row: OrderRow) -> OfferNamed:
    return OfferNamed(
        id=public_id("off", row.offer),
        kind=cast("Any", row.kind),
        title_zh=row.title_zh,
        title_en=row.title_en,
    )


def _part(part: Part) -> PartOut:
    return PartOut(programme=part.programme, expires=part.expires, points=part.points)
