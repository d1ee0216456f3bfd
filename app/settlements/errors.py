"""What is refused of settlements (结算的拒绝)."""

from app.kernel.problems import Refusal


class SettlementUnknown(Refusal):
    """Your merchant has no such statement, or the statement no such redemption."""

    code = "settlement.unknown"
    status = 404
    title_zh = "没有这份结算单，或其中没有这笔核销"


class DisputeUnknown(Refusal):
    """There is no such dispute."""

    code = "settlement.dispute_unknown"
    status = 404
    title_zh = "没有这项争议"


class WindowClosed(Refusal):
    """The statement is older than seven days, and stands."""

    code = "settlement.window_closed"
    title_zh = "已过七日争议期，结算单已确定"


class DisputeOpen(Refusal):
    """The statement is disputed already; await the answer."""

    code = "settlement.dispute_open"
    title_zh = "该结算单已有未答复的争议"


class DisputeAnswered(Refusal):
    """The dispute was answered before."""

    code = "settlement.dispute_answered"
    title_zh = "该争议已有答复"


class LineUnknown(Refusal):
    """The statement has no line at one of these places."""

    code = "settlement.line_unknown"
    status = 422
    title_zh = "结算单没有所列的某一行"


class NotFinal(Refusal):
    """A statement is paid once its window is over and its disputes are answered."""

    code = "settlement.not_final"
    title_zh = "结算单尚未确定，不能付款"


class NothingToPay(Refusal):
    """The statement comes to nothing."""

    code = "settlement.nothing_to_pay"
    title_zh = "结算单净额为零，无需付款"


class SettlementPaid(Refusal):
    """The statement was paid, or the bank's reference belongs to another one."""

    code = "settlement.paid"
    title_zh = "结算单已付款，或该银行流水号已被使用"


class AdjustmentsUnclear(Refusal):
    """Name each programme once, and no adjustment of nothing."""

    code = "settlement.adjustments_unclear"
    status = 422
    title_zh = "每个计划只能列一次，调整额不能为零"


class BudgetShort(Refusal):
    """The programme's unpromised funds do not cover this."""

    code = "settlement.budget_short"
    title_zh = "计划未占用资金不足"
