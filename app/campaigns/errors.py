"""What is refused about simulations (推演的拒绝)."""

from app.kernel.problems import Refusal


class SimulationUnknown(Refusal):
    """There is no such simulation of this programme."""

    code = "campaigns.simulation_unknown"
    status = 404
    title_zh = "没有这个推演"


class SimulationsWaiting(Refusal):
    """Enough simulations wait for their turn."""

    code = "campaigns.simulations_waiting"
    title_zh = "待运行的推演已达上限"


class DaysUnfit(Refusal):
    """A simulation replays 1 to 92 days, all of them past."""

    code = "campaigns.days_unfit"
    status = 422
    title_zh = "推演期须为 1 至 92 天，且均已过去"


class TermsTwice(Refusal):
    """A candidate names each grade and field, and each behaviour, once."""

    code = "campaigns.terms_twice"
    status = 422
    title_zh = "同一等级与领域、或同一行为重复设定"
