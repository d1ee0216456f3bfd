"""What is refused about voluntary cancellations (自愿注销的拒绝)."""

from app.kernel.problems import Refusal


class OwnCancellationUnknown(Refusal):
    """You have no such cancellation."""

    code = "cancellations.unknown"
    status = 404
    title_zh = "您没有这笔注销"


class AmountUnclear(Refusal):
    """Say how much to cancel, or name classes: one of the two."""

    code = "cancellations.amount_unclear"
    status = 422
    title_zh = "数量与类别须二者择一"


class ReductionsLacking(Refusal):
    """You do not hold that much, beside what your other open cancellations take."""

    code = "cancellations.lacking"
    title_zh = "可注销的减排量不足（已扣除其他待执行的注销）"


class ClassesTooMany(Refusal):
    """This amount takes more classes of reductions than one cancellation holds; ask for less."""

    code = "cancellations.classes_too_many"
    title_zh = "所涉减排量类别过多，请分次注销"


class CancellationPosted(Refusal):
    """This cancellation was posted, or has ended already; it cannot be reverted any more."""

    code = "cancellations.posted"
    title_zh = "该注销已执行或已结束，不能撤回"


class CancellationsMany(Refusal):
    """Too many of your cancellations wait to be posted; come back when they have been."""

    code = "cancellations.many"
    title_zh = "待执行的注销过多，请稍后再试"
