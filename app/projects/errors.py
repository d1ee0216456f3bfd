"""What is refused of projects and of scenarios' operators (减排项目的拒绝)."""

from app.kernel.problems import Refusal


class ProjectUnknown(Refusal):
    """There is no such project, or none of yours."""

    code = "projects.unknown"
    status = 404
    title_zh = "没有这个减排项目"


class ProjectsMany(Refusal):
    """An owner has at most this many projects that have not ended."""

    code = "projects.too_many"
    title_zh = "减排项目已达数量上限"


class MethodologyUnfit(Refusal):
    """A project needs a methodology for projects, settled by the day, with all its parameters."""

    code = "projects.methodology_unfit"
    status = 422
    title_zh = "该方法学不适用于减排项目"


class DesignInvalid(Refusal):
    """The design does not fit its methodology; the detail says where."""

    code = "projects.design_invalid"
    status = 422
    title_zh = "项目设计文件与方法学不符"


class CountedElsewhere(Refusal):
    """What is declared, or the boundary list, says that this is counted elsewhere already."""

    code = "projects.counted_elsewhere"
    title_zh = "该减排量已在别处计入"


class MeterTaken(Refusal):
    """A meter or vehicle is in another project in these days, or linked to somebody's own acts."""

    code = "projects.meter_taken"
    title_zh = "表计或车辆已被计入其他项目或个人"


class ProjectRegistered(Refusal):
    """The project is registered; its design does not change any more."""

    code = "projects.registered"
    title_zh = "项目已登记"


class ProjectNotRegistered(Refusal):
    """The project is not registered."""

    code = "projects.not_registered"
    title_zh = "项目尚未登记"


class ProjectEnded(Refusal):
    """The project has ended."""

    code = "projects.ended"
    title_zh = "项目已终止"


class DesignStale(Refusal):
    """The project has a newer design than the one that this speaks of."""

    code = "projects.design_stale"
    title_zh = "项目设计文件已有更新"


class DesignReviewed(Refusal):
    """One reviewer says once what they find of one design."""

    code = "projects.design_reviewed"
    title_zh = "该设计文件已由你评审"


class NotRegistrable(Refusal):
    """The project cannot be registered as it stands; the detail says what is lacking."""

    code = "projects.not_registrable"
    title_zh = "项目尚不具备登记条件"


class PeriodOutside(Refusal):
    """The period is not over, is longer than a year, or leaves the crediting period."""

    code = "projects.period_outside"
    status = 422
    title_zh = "监测期未结束、超过一年或超出计入期"


class PeriodTold(Refusal):
    """A day of this period is in another report of the project."""

    code = "projects.period_told"
    title_zh = "监测期与已有报告重叠"


class PeriodAccrued(Refusal):
    """A report of these days was accepted; what it accrued is recalled and not excluded."""

    code = "projects.period_accrued"
    title_zh = "该期间的减排量已入账"


class ReadingsInvalid(Refusal):
    """The readings do not fit the project; the detail says where."""

    code = "projects.readings_invalid"
    status = 422
    title_zh = "监测数据与项目不符"


class ReportUnknown(Refusal):
    """There is no such monitoring report, or none of yours."""

    code = "projects.report_unknown"
    status = 404
    title_zh = "没有这份监测报告"


class ReportDecided(Refusal):
    """The report was accepted or rejected before."""

    code = "projects.report_decided"
    title_zh = "该监测报告已有结论"


class ReportEmptied(Refusal):
    """The readings are gone with the person whose project it was."""

    code = "projects.report_emptied"
    title_zh = "监测数据已随注销清除"


class OperationReversed(Refusal):
    """The last day that the scenario would be operated is before the first."""

    code = "scenarios.dates_reversed"
    status = 422
    title_zh = "场景运营的截止日期早于起始日期"


class OperationUnknown(Refusal):
    """There is no such application to operate a scenario, or none of yours."""

    code = "scenarios.application_unknown"
    status = 404
    title_zh = "没有这份场景运营申请"


class OperationDecided(Refusal):
    """The application to operate the scenario was decided before."""

    code = "scenarios.application_decided"
    title_zh = "该场景运营申请已有结论"


class ScenarioOperated(Refusal):
    """The approval of the scenario that begins on this day has an operator."""

    code = "scenarios.operated"
    title_zh = "该场景批准已有运营方"


class ScenarioUnapproved(Refusal):
    """The scenario is not approved for these days; it is approved first, and operated then."""

    code = "scenarios.unapproved"
    title_zh = "该场景在此期间尚未获批"
