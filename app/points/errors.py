"""What is refused about points (积分的拒绝)."""

from app.kernel.problems import Refusal


class ProgrammeUnknown(Refusal):
    """There is no such programme, or none that exchanges yet."""

    code = "points.programme_unknown"
    status = 404
    title_zh = "没有这个积分计划"


class ProgrammeTaken(Refusal):
    """A programme of this code exists already."""

    code = "points.programme_taken"
    title_zh = "该编号的积分计划已存在"


class ProgrammeUnfunded(Refusal):
    """The points of this programme claim no money, so it takes none."""

    code = "points.programme_unfunded"
    title_zh = "该计划的积分不对应资金，无需注资"


class TermsInPast(Refusal):
    """A rate or reward begins today or later; what was earned is never rewritten."""

    code = "points.terms_in_past"
    status = 422
    title_zh = "兑换率与奖励只能自今日起生效"


class TermsOverlap(Refusal):
    """A later rate or reward stands already, or another programme rewards this behaviour."""

    code = "points.terms_overlap"
    title_zh = "与已有的兑换率或奖励冲突"


class ExchangeEmpty(Refusal):
    """Nothing that was named comes to a whole point."""

    code = "exchange.empty"
    title_zh = "可兑换的减排量不足一个积分"


class ClassNotHeld(Refusal):
    """You hold no reductions of this class, or fewer than that, or it has no rate."""

    code = "exchange.class_not_held"
    title_zh = "未持有该类减排量，或数量不足，或暂无兑换率"


class ExchangeThrottled(Refusal):
    """The programme's funds are low, so exchange rests for now; reductions stay yours."""

    code = "exchange.throttled"
    title_zh = "计划资金偏低，暂停兑换；减排量保留在您名下"


class BudgetExhausted(Refusal):
    """The programme's budget is exhausted; your reductions stay yours."""

    code = "budget.exhausted"
    title_zh = "计划预算已用完；减排量保留在您名下"


class ClassTwice(Refusal):
    """A class of reductions is named twice."""

    code = "exchange.class_twice"
    status = 422
    title_zh = "同一减排量类别重复填写"


class ThresholdsCrossed(Refusal):
    """Exchange by hand is refused at or below where automatic exchange pauses."""

    code = "points.thresholds_crossed"
    status = 422
    title_zh = "手动兑换的停止线不得高于自动兑换的暂停线"


class NotSimulated(Refusal):
    """This programme has no finished simulation of exactly these terms."""

    code = "points.not_simulated"
    title_zh = "该计划没有对这些条款的已完成推演"
