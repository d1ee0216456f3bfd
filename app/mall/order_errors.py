"""What orders, vouchers and tills are refused (订单与券的拒绝)."""

from collections.abc import Mapping
from typing import Final

import psycopg

from app.kernel.once import IdempotencyKeyReused
from app.kernel.problems import Fact, Refusal
from app.merchants.errors import TillClosed

REFUSED: Final = "TP100"
"""SQLSTATE with which a function of the schema refuses; its message is the refusal's code."""


class OrderUnknown(Refusal):
    """You have no such order."""

    code = "order.unknown"
    status = 404
    title_zh = "没有该订单"


class OfferUnknown(Refusal):
    """There is no such offer."""

    code = "order.offer_unknown"
    status = 404
    title_zh = "没有该商品"


class OfferClosed(Refusal):
    """This offer is not on sale now."""

    code = "order.offer_closed"
    title_zh = "该商品当前不可兑换"


class PriceChanged(Refusal):
    """The offer is no longer as you were shown it; look again."""

    code = "order.price_changed"
    title_zh = "商品或价格已变更，请刷新后重试"


class PointsShort(Refusal):
    """You have too few points that can pay for this."""

    code = "order.points_short"
    title_zh = "可用积分不足"


class PersonLimit(Refusal):
    """You have had as many of this offer as one person may."""

    code = "order.person_limit"
    title_zh = "已达每人限兑数量"


class DayLimit(Refusal):
    """As many of this offer as a day allows have been taken today."""

    code = "order.day_limit"
    title_zh = "今日份额已兑完"


class SoldOut(Refusal):
    """The last one went to somebody else."""

    code = "order.sold_out"
    title_zh = "已兑完"


class Leaving(Refusal):
    """Whoever is being erased orders nothing more."""

    code = "order.leaving"
    title_zh = "账号正在注销，不能下单"


class OrderEnded(Refusal):
    """The order has ended: redeemed, cancelled, expired or reversed."""

    code = "order.ended"
    title_zh = "订单已结束"


class OfflineOpen(Refusal):
    """A till without a network may have taken this voucher, and has a day to tell of it."""

    code = "order.offline_open"
    title_zh = "离线券可能已被使用，商户可在一天内上报"


class OfflineCap(Refusal):
    """This merchant's tills may take no more vouchers unseen for now."""

    code = "order.offline_cap"
    title_zh = "该商户的离线额度已用完"


class VoucherUnknown(Refusal):
    """There is no such voucher, or it is not for you."""

    code = "voucher.unknown"
    status = 404
    title_zh = "没有该券"


class CodeMistyped(Refusal):
    """A voucher's code is a QR text, or twelve characters of which the last checks the others."""

    code = "voucher.code_mistyped"
    status = 422
    title_zh = "券码格式或校验位有误"


class CodeStale(Refusal):
    """The code on the screen is too old; show the voucher again."""

    code = "voucher.code_stale"
    title_zh = "券码已刷新，请重新出示"


class VoucherExpired(Refusal):
    """The voucher's time is over."""

    code = "voucher.expired"
    title_zh = "券已过期"


class VoucherCancelled(Refusal):
    """The order of this voucher was cancelled."""

    code = "voucher.cancelled"
    title_zh = "券已取消"


class VoucherReversed(Refusal):
    """This voucher was redeemed, and that was reversed."""

    code = "voucher.reversed"
    title_zh = "该券的核销已冲正"


class VoucherNotOffline(Refusal):
    """This voucher was not open to tills without a network at that time."""

    code = "voucher.not_offline"
    title_zh = "该券当时未开通离线核销"


class TriesSpent(Refusal):
    """This till has tried too many printed codes that do not exist; try again later."""

    code = "till.tries_spent"
    status = 429
    title_zh = "券码尝试次数过多，请稍后再试"

    def headers(self) -> Mapping[str, str]:
        """Tell when to come again."""
        return {"Retry-After": str(self.facts["retry_after_s"])}


class RedemptionUnknown(Refusal):
    """This merchant has no such redemption."""

    code = "redemption.unknown"
    status = 404
    title_zh = "没有该核销记录"


class TooLate(Refusal):
    """A redemption can be reversed within 15 minutes."""

    code = "reversal.too_late"
    title_zh = "核销已超过15分钟，不能冲正"


_KINDS: Final[Mapping[str, type[Refusal]]] = {
    kind.code: kind
    for kind in (
        *(OrderUnknown, OfferUnknown, OfferClosed, PriceChanged, PointsShort, PersonLimit),
        *(DayLimit, SoldOut, Leaving, OrderEnded, OfflineOpen, OfflineCap, VoucherUnknown),
        *(CodeStale, VoucherExpired, VoucherCancelled, VoucherReversed, VoucherNotOffline),
        *(TillClosed, RedemptionUnknown, TooLate, IdempotencyKeyReused),
    )
}


def refusal_of(code: str, **facts: Fact) -> Refusal:
    """Give the refusal that the schema's functions name by its code."""
    return _KINDS[code](**facts)


def refused_by(error: psycopg.Error) -> Refusal | None:
    """Give the refusal that a function of the schema raised, if that is what it is."""
    if error.sqlstate != REFUSED or error.diag.message_primary is None:
        return None
    code, detail = error.diag.message_primary, error.diag.message_detail
    if detail is None:
        return refusal_of(code)
    name = "missing_points" if code == PointsShort.code else "most"
    return refusal_of(code, **{name: int(detail)})
