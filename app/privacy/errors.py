"""What is refused about consents, profiles and erasures (隐私相关的拒绝)."""

from app.kernel.problems import Refusal


class SceneUnknown(Refusal):
    """No methodology of this city has that scene."""

    code = "consents.scene_unknown"
    status = 422
    title_zh = "本城没有该场景"


class GuardianNeeded(Refusal):
    """Under 14, or not said to be 14 or older: a guardian has to consent first."""

    code = "consents.guardian_needed"
    status = 403
    title_zh = "未满十四周岁（或未声明已满十四周岁）须先由监护人同意"


class GuardianNotAdult(Refusal):
    """A guardian is a grown-up who has declared a birth date."""

    code = "guardians.not_adult"
    status = 403
    title_zh = "监护人须为已声明出生日期的成年人"


class GuardianNotNeeded(Refusal):
    """Only who has declared a birth date less than 14 years ago has a guardian here."""

    code = "guardians.not_needed"
    title_zh = "仅已声明出生日期且未满十四周岁者需要监护人"


class BirthDateFixed(Refusal):
    """A birth date is declared once; who mistook theirs asks the desk, or erases and joins anew."""

    code = "profile.birth_date_fixed"
    title_zh = "出生日期只能声明一次"


class BirthDateImpossible(Refusal):
    """Nobody alive was born on that day."""

    code = "profile.birth_date_impossible"
    status = 422
    title_zh = "出生日期不合理"


class ErasureUnderWay(Refusal):
    """You have asked to be erased: nothing new begins."""

    code = "erasure.under_way"
    title_zh = "您已申请删除，不再受理新的事项"


class ErasureUnknown(Refusal):
    """There is no erasure under this token."""

    code = "erasure.unknown"
    status = 404
    title_zh = "没有该删除申请"
