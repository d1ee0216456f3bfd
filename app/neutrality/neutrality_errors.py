"""What is refused on the way to neutrality (碳中和的拒绝): units, statements, shares, gifts."""

from app.kernel.problems import Refusal


class ReservationUntilInvalid(Refusal):
    """Units are reserved from today until the plan's deadline at the latest."""

    code = "reservations.until_invalid"
    status = 422
    title_zh = "预留期限须在今日与计划期限之间"


class ReservationUnknown(Refusal):
    """The gathering has no such reservation, or nothing is left of it."""

    code = "reservations.unknown"
    status = 404
    title_zh = "没有找到该预留，或已无余量"


class ReservableLacking(Refusal):
    """Your organisation does not hold that many units that may serve a gathering; buy more."""

    code = "reservations.units_lacking"
    title_zh = "本机构可用于活动中和的单位不足"


class UnitsNotReserved(Refusal):
    """Fewer units are reserved than are to be retired; true up first."""

    code = "gathering_retirements.not_reserved"
    title_zh = "已预留单位不足以注销，请先轧差"


class NothingToRetire(Refusal):
    """Nothing is left to be retired: units and gifts cover what was emitted."""

    code = "gathering_retirements.nothing_left"
    title_zh = "已足额抵消，无需再注销"


class DeadlinePassed(Refusal):
    """The deadline of the gathering's plan has passed."""

    code = "gatherings.deadline_passed"
    title_zh = "已超过该活动的抵消期限"


class NotNeutral(Refusal):
    """What was retired and given does not cover what was emitted."""

    code = "neutrality_statements.not_neutral"
    title_zh = "注销与受赠合计未覆盖实际排放，不能出具声明"


class StatementUnchanged(Refusal):
    """The latest statement says this already."""

    code = "neutrality_statements.unchanged"
    title_zh = "与现行声明一致，无需重新出具"


class StatementUnknown(Refusal):
    """No such statement of neutrality was issued."""

    code = "neutrality_statements.unknown"
    status = 404
    title_zh = "没有找到该碳中和声明"


class SharesExceed(Refusal):
    """So many shares are more than what is reserved and retired."""

    code = "shares.exceed"
    title_zh = "份额合计超过已预留与已注销的单位"


class ShareUnknown(Refusal):
    """There is no such ticket."""

    code = "shares.unknown"
    status = 404
    title_zh = "没有找到该票"


class SharesNotOpen(Refusal):
    """Nothing that could be shared, or not as much, has been retired yet."""

    code = "shares.not_open"
    title_zh = "注销尚未完成或余量不足，暂不能领取份额"


class GiftsNotTaken(Refusal):
    """This gathering's plan does not count gifts, or its time for them is over."""

    code = "gathering_gifts.not_taken"
    title_zh = "该活动不接受捐赠，或已截止"


class GiftLacking(Refusal):
    """You do not hold that much of this grade, beside trips to it that nobody chose a side of."""

    code = "gathering_gifts.lacking"
    title_zh = "您持有的该等级减排量不足"


class TripUnknown(Refusal):
    """You have no such trip of green travel that counts, on a day of the gathering."""

    code = "trip_sides.trip_unknown"
    status = 404
    title_zh = "没有找到您在活动期间的该次绿色出行"


class SideChosen(Refusal):
    """The side of this trip was chosen before, and otherwise or at another gathering."""

    code = "trip_sides.chosen"
    title_zh = "该次出行的归属已选定，不可更改"


class TicketTaken(Refusal):
    """This ticket has served another person to say whose a trip is."""

    code = "trip_sides.ticket_taken"
    title_zh = "该票已由他人用于选择出行归属"


class SidesClosed(Refusal):
    """The gathering's statement is issued: who had not chosen by then cannot any more."""

    code = "trip_sides.closed"
    title_zh = "碳中和声明已出具，不能再选择归属"


class TripSpent(Refusal):
    """What this trip earned is no longer all yours, so it cannot be the gathering's."""

    code = "trip_sides.spent"
    title_zh = "该次出行的减排量已被使用，不能归活动"
