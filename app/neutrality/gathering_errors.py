"""What is refused of gatherings, plans, inventories and surveys (大型活动的拒绝)."""

from app.kernel.problems import Refusal


class GatheringUnknown(Refusal):
    """Your organisation has no such gathering."""

    code = "gatherings.unknown"
    status = 404
    title_zh = "没有找到该大型活动"


class DistrictUnknown(Refusal):
    """The district's code is of no province whose grid factor is published."""

    code = "gatherings.district_unknown"
    status = 422
    title_zh = "行政区划代码无效或无可用电网因子"


class DatesInvalid(Refusal):
    """A gathering ends after it starts, within a year, and is told of within a year of its end."""

    code = "gatherings.dates_invalid"
    status = 422
    title_zh = "活动日期不符合要求"


class SizeMissing(Refusal):
    """This kind of gathering is classified by a measure that is not given."""

    code = "gatherings.size_missing"
    status = 422
    title_zh = "缺少判定门槛所需的规模数据"


class GatheringStarted(Refusal):
    """A gathering that has started is changed no more."""

    code = "gatherings.started"
    title_zh = "活动已开始，不可再修改"


class GatheringNotOver(Refusal):
    """What was really emitted is closed after the gathering's last day."""

    code = "gatherings.not_over"
    title_zh = "活动尚未结束，不可形成实际排放清单"


class LineUnknown(Refusal):
    """The gathering has no such line."""

    code = "inventory.line_unknown"
    status = 404
    title_zh = "没有找到该清单条目"


class LinesMany(Refusal):
    """An inventory has no room for so many lines."""

    code = "inventory.lines_many"
    title_zh = "清单条目过多"


class FactorMissing(Refusal):
    """No published table has this factor's row; nothing is invented."""

    code = "inventory.factor_missing"
    status = 422
    title_zh = "因子缺失：公布的因子表中没有该行"


class FactorUnusable(Refusal):
    """This row is not the whole of an emission, or the publication has no value in it."""

    code = "inventory.factor_unusable"
    status = 422
    title_zh = "该因子行不可用于核算"


class FactorForeign(Refusal):
    """This factor serves another purpose or another place than the line's."""

    code = "inventory.factor_foreign"
    status = 422
    title_zh = "该因子不适用于此类别或地点"


class UnitUnfit(Refusal):
    """The quantity's unit is not what the factor counts."""

    code = "inventory.unit_unfit"
    status = 422
    title_zh = "数量单位与因子不一致"


class QuantityUnlikely(Refusal):
    """Nothing was used, or one line emits more than any gathering could."""

    code = "inventory.quantity_unlikely"
    status = 422
    title_zh = "数量超出合理范围"


class TierUnfit(Refusal):
    """What is only expected was not measured, and what was measured names its evidence."""

    code = "inventory.tier_unfit"
    status = 422
    title_zh = "数据等级与阶段或证据不符"


class InventoryIncomplete(Refusal):
    """Every category has a line or a stated reason why not, and not both."""

    code = "inventory.incomplete"
    status = 422
    title_zh = "清单不完整：每一类须有条目或排除理由"


class InventoryUnknown(Refusal):
    """No such inventory was closed."""

    code = "inventory.unknown"
    status = 404
    title_zh = "没有找到该排放清单"


class PlanUnknown(Refusal):
    """There is no such plan, or it is not public."""

    code = "gathering_plans.unknown"
    status = 404
    title_zh = "没有找到该实施计划"


class DeadlineInvalid(Refusal):
    """The offset is done after the gathering's end and within a year of it."""

    code = "gathering_plans.deadline_invalid"
    status = 422
    title_zh = "抵消完成期限须在活动结束后一年内"


class ActionAhead(Refusal):
    """The day of the action is still to come."""

    code = "gathering_actions.not_yet"
    status = 422
    title_zh = "减排行动日期尚未到"


class SurveyUnknown(Refusal):
    """There is no such survey, or it is closed."""

    code = "travel_surveys.unknown"
    status = 404
    title_zh = "问卷不存在或已结束"


class SurveyWindowInvalid(Refusal):
    """A survey stays open for some days, at most until 60 days after the gathering."""

    code = "travel_surveys.window_invalid"
    status = 422
    title_zh = "问卷截止时间不符合要求"


class SurveyEnded(Refusal):
    """The survey has ended, and is not opened again: nobody watches one answer arrive."""

    code = "travel_surveys.ended"
    title_zh = "问卷已结束，不能重新开启"


class SurveyAnswered(Refusal):
    """This ticket has answered already."""

    code = "travel_surveys.answered"
    title_zh = "该票已填写过问卷"


class SurveyUnfit(Refusal):
    """Nobody travels that way over such a distance."""

    code = "travel_surveys.answer_unfit"
    status = 422
    title_zh = "出行方式与距离不符"


class SurveyThin(Refusal):
    """Too few have answered for their answers to stand for all who came."""

    code = "travel_surveys.thin"
    title_zh = "问卷样本过少，不可推算"


class AttendanceUnlikely(Refusal):
    """Fewer attended than are said to have travelled."""

    code = "travel_surveys.attendance_unlikely"
    status = 422
    title_zh = "到场人数少于问卷所述人数"


class LinesTableInvalid(Refusal):
    """This is no UTF-8 CSV with the documented columns and at most 2,000 rows."""

    code = "inventory.table_invalid"
    status = 422
    title_zh = "须为UTF-8编码、列名正确、不超过2000行的CSV"


class LinesTableRefused(Refusal):
    """A row of the table is no line; nothing was added."""

    code = "inventory.table_refused"
    status = 422
    title_zh = "表格中有行不符合要求，未导入任何条目"


class SurveyOpen(Refusal):
    """What was answered is told once the survey has closed."""

    code = "travel_surveys.open"
    title_zh = "问卷仍在进行，结束后方可查看结果"


class TicketUnknown(Refusal):
    """This is no ticket of the gathering."""

    code = "travel_surveys.ticket_unknown"
    status = 422
    title_zh = "票码无效"
