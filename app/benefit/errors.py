"""What is refused about giving (公益的拒绝)."""

from app.kernel.problems import Refusal


class CancellationUnknown(Refusal):
    """There is no such public cancellation."""

    code = "benefit.cancellation_unknown"
    status = 404
    title_zh = "没有这个公益注销活动"


class CancellationOver(Refusal):
    """This public cancellation has ended."""

    code = "benefit.cancellation_over"
    title_zh = "该公益注销活动已结束"


class DonationUnknown(Refusal):
    """There is no such donation to a public-benefit merchant on sale."""

    code = "benefit.donation_unknown"
    status = 404
    title_zh = "没有这个在售的公益捐赠商品"


class CancellationMalformed(Refusal):
    """A public cancellation ends on the day it starts or later, and within 366 days."""

    code = "benefit.cancellation_malformed"
    status = 422
    title_zh = "公益注销活动的结束日不得早于开始日，且不得超过 366 天"
