"""What the wallet refuses (钱包的拒绝)."""

from collections.abc import Mapping
from typing import Final

from app.kernel.problems import Refusal

RETRY_AFTER_S: Final = "30"


class ActivityUnknown(Refusal):
    """You have no such activity."""

    code = "activity.unknown"
    status = 404
    title_zh = "没有这条低碳行为"


class PeriodInvalid(Refusal):
    """A month is written YYYY-MM and a day YYYY-MM-DD, and the first comes before the last."""

    code = "wallet.period_invalid"
    status = 422
    title_zh = "时间范围不正确"


class TooManyStreams(Refusal):
    """You have too many live streams open; close one, or try again later."""

    code = "live.too_many"
    status = 429
    title_zh = "实时连接过多"

    def headers(self) -> Mapping[str, str]:
        """Say when to come back."""
        return {"retry-after": RETRY_AFTER_S}


class AppealMisplaced(Refusal):
    """The activity did not end as this appeal says."""

    code = "appeal.outcome_differs"
    status = 409
    title_zh = "申诉事由与该行为的结果不符"


class AppealTooLate(Refusal):
    """The time in which this outcome could be contested is over."""

    code = "appeal.too_late"
    status = 409
    title_zh = "已超过申诉期限"


class AppealOpenAlready(Refusal):
    """An appeal against this outcome awaits its decision."""

    code = "appeal.open_already"
    status = 409
    title_zh = "该行为已有待处理的申诉"


class AppealUnknown(Refusal):
    """There is no such appeal."""

    code = "appeal.unknown"
    status = 404
    title_zh = "没有这件申诉"


class AppealDecided(Refusal):
    """This appeal was decided before."""

    code = "appeal.decided"
    status = 409
    title_zh = "该申诉已有处理决定"


class CorrectionImpossible(Refusal):
    """The corrected quantities cannot be posted: the activity adds nothing, or they are refused."""

    code = "appeal.correction_impossible"
    status = 422
    title_zh = "无法按更正后的数量入账"


class FiguresChanged(Refusal):
    """What the correction comes to has changed since it was asked for; ask anew."""

    code = "appeal.figures_changed"
    status = 409
    title_zh = "更正结果与申请时不同，请重新申请"


class CorrectionMismatched(Refusal):
    """A correction is ordered when an appeal is upheld, and only then."""

    code = "appeal.correction_mismatched"
    status = 422
    title_zh = "仅在支持申诉时须下达更正"
