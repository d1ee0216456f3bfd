"""What the catalogue refuses (方法学管理的拒绝)."""

from app.kernel.problems import Refusal


class DocumentNotSigned(Refusal):
    """No such version ships, so there is nothing to sign."""

    code = "catalogue.version_unknown"
    status = 404
    title_zh = "没有这个方法学版本"


class ScenarioUnknown(Refusal):
    """No methodology in the catalogue has this scenario."""

    code = "catalogue.scenario_unknown"
    status = 404
    title_zh = "没有这个减排场景"
