"""What retirements refuse (注销使用的拒绝)."""

from app.kernel.problems import Refusal


class RetirementUnknown(Refusal):
    """There is no such retirement, or it is somebody else's."""

    code = "retirements.unknown"
    status = 404
    title_zh = "没有这笔注销"


class RetirementEnded(Refusal):
    """It has its serials already, or was reverted before: it stays as it is."""

    code = "retirements.ended"
    title_zh = "该笔注销已执行或已撤回"


class UnitsLacking(Refusal):
    """Fewer units of this batch are there to be retired."""

    code = "retirements.units_lacking"
    title_zh = "该批次可注销数量不足"
