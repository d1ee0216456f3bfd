"""What the market refuses (市场的拒绝)."""

from app.kernel.problems import Refusal


class ListingUnknown(Refusal):
    """There is no such listing."""

    code = "market.listing_unknown"
    status = 404
    title_zh = "没有这项挂牌"


class WindowWrong(Refusal):
    """A listing closes after it opens, and after now."""

    code = "market.window_wrong"
    status = 422
    title_zh = "挂牌截止须晚于开始，且晚于当前时间"


class MinimumWrong(Refusal):
    """The minimum is more than what is listed."""

    code = "market.minimum_wrong"
    status = 422
    title_zh = "起购量大于挂牌量"


class UnitsShort(Refusal):
    """The seller does not have so many units of this batch at its disposal."""

    code = "market.units_short"
    title_zh = "卖方可用的该批次减排量不足"


class ListingClosed(Refusal):
    """The listing is not open at this moment, or its seller is suspended."""

    code = "market.listing_closed"
    title_zh = "挂牌未开放或卖方已被暂停"


class ListingOwn(Refusal):
    """Nobody buys what they list themselves."""

    code = "market.listing_own"
    title_zh = "不能购买本机构的挂牌"


class BelowMinimum(Refusal):
    """A purchase takes the listing's minimum at least, or all that is left."""

    code = "market.below_minimum"
    title_zh = "低于起购量，且不是全部余量"


class SoldOut(Refusal):
    """The listing has less left than that."""

    code = "market.sold_out"
    title_zh = "挂牌余量不足"


class QuoteUnknown(Refusal):
    """Your organisation has no such quote."""

    code = "market.quote_unknown"
    status = 404
    title_zh = "没有这份报价"


class QuoteExpired(Refusal):
    """The quote has expired; ask for another."""

    code = "market.quote_expired"
    title_zh = "报价已过期，请重新询价"


class QuoteUsed(Refusal):
    """A purchase was made of this quote before."""

    code = "market.quote_used"
    title_zh = "该报价已用于一笔购买"


class PurchaseUnknown(Refusal):
    """Your organisation has no such purchase."""

    code = "market.purchase_unknown"
    status = 404
    title_zh = "没有这笔购买"


class PurchaseEnded(Refusal):
    """The purchase was paid for, cancelled, or has expired."""

    code = "market.purchase_ended"
    title_zh = "该购买已付款、已取消或已过期"


class BuyerSuspended(Refusal):
    """The buyer is suspended: its purchase waits until it is resumed, or expires."""

    code = "market.buyer_suspended"
    title_zh = "买方已被暂停，购买待其恢复或到期"


class QuotesOpen(Refusal):
    """Your organisation has too many quotes open; use one, or wait until one expires."""

    code = "market.quotes_open"
    title_zh = "未过期报价过多"


class PurchasesOpen(Refusal):
    """Your organisation has too many purchases that await payment; pay for one or cancel it."""

    code = "market.purchases_open"
    title_zh = "待付款购买过多"


class AmountDiffers(Refusal):
    """A payment is of exactly what is due."""

    code = "market.amount_differs"
    title_zh = "付款金额与应付金额不一致"


class ReferenceUsed(Refusal):
    """The bank's reference belongs to another payment."""

    code = "market.reference_used"
    title_zh = "该银行流水号已用于另一笔款项"


class SharesUntrue(Refusal):
    """The registry's rows do not say whose milligrams these units are; nothing was sold."""

    code = "market.shares_untrue"
    status = 500
    title_zh = "无法确定该批次的来源，未售出"


class ProceedsShort(Refusal):
    """The organisation has earned less than that."""

    code = "market.proceeds_short"
    title_zh = "该机构的可付收入不足"


class StatementLong(Refusal):
    """This is more than one statement holds; ask for fewer days."""

    code = "market.statement_long"
    status = 422
    title_zh = "超出一份流水的范围，请缩短起止日期"
