"""What the catalogue refuses (方法学管理的拒绝)."""

from app.kernel.problems import Refusal


class VersionUnknown(Refusal):
    """There is no such methodology version."""

    code = "catalogue.version_unknown"
    status = 404
    title_zh = "没有这个方法学版本"


class VersionConflict(Refusal):
    """A published methodology version has other bytes than the one that ships or was published."""

    code = "catalogue.version_conflict"
    status = 500
    title_zh = "方法学版本与已发布文本不一致"


class ScenarioUnknown(Refusal):
    """No methodology in the catalogue has this scenario."""

    code = "catalogue.scenario_unknown"
    status = 404
    title_zh = "没有这个减排场景"


class SignatureUnknown(Refusal):
    """There is no signature of this reviewer that could be withdrawn."""

    code = "catalogue.signature_unknown"
    status = 404
    title_zh = "没有可撤回的签字"


class ScenarioApprovalUnknown(Refusal):
    """No approval of this scenario begins on that day, or it ends no later than that already."""

    code = "catalogue.approval_unknown"
    status = 404
    title_zh = "没有可终止的场景批准"


class InputsMalformed(Refusal):
    """An input of the calculation is no amount that the methodology can read."""

    code = "catalogue.inputs_malformed"
    status = 422
    title_zh = "测算输入无法读取"


class FormulaIncomplete(Refusal):
    """The methodology lacks sourced parameters, so it refuses to run."""

    code = "catalogue.parameter_missing"
    title_zh = "方法学缺少有出处的参数，不能计算"
