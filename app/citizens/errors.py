"""What is refused of citizens, their consents and their links (市民、授权与绑定的拒绝)."""

from app.kernel.problems import Refusal


class EnrolmentRefused(Refusal):
    """An import opens no accounts in production: people join and consent by themselves."""

    code = "citizens.enrolment_refused"
    status = 403
    title_zh = "生产环境不能由导入代为开户和授权"


class CitizenUnknown(Refusal):
    """There is no such citizen."""

    code = "citizens.unknown"
    status = 404
    title_zh = "没有这位市民"


class InstrumentTaken(Refusal):
    """The card, meter or account number belongs to another citizen at that time."""

    code = "citizens.instrument_taken"
    title_zh = "该卡号、表号或户号在此期间已绑定他人"


class IntervalTaken(Refusal):
    """A consent for this provider and scene begins at that very instant already."""

    code = "citizens.interval_taken"
    title_zh = "该时刻已有同一授权"


class CodeWrong(Refusal):
    """The code is wrong, used up, too old, or for another device; ask for a new one."""

    code = "auth.code_wrong"
    status = 401
    title_zh = "验证码错误或已失效，请重新获取"


class SmsAway(Refusal):
    """The text message could not be handed over; ask for a code again in a minute."""

    code = "auth.sms_away"
    status = 503
    title_zh = "短信暂时无法发送，请一分钟后重试"


class IdentityRefused(Refusal):
    """The other platform does not vouch for this code; get a new one there."""

    code = "auth.identity_refused"
    status = 401
    title_zh = "第三方登录凭证无效，请重新获取"


class IdentityAway(Refusal):
    """The other platform does not answer; try again, or log in by phone."""

    code = "auth.identity_away"
    status = 503
    title_zh = "第三方登录暂不可用，请稍后重试或用手机号登录"


class IdentityOff(Refusal):
    """This city does not take logins of that platform."""

    code = "auth.identity_off"
    status = 404
    title_zh = "本城未开通该登录方式"


class LoginUnknown(Refusal):
    """Nobody logs in this way yet: log in by phone and link it, or say that you join anew."""

    code = "auth.login_unknown"
    status = 404
    title_zh = "该方式尚未绑定：请用手机号登录后绑定，或确认新开户"


class LoginLeaving(Refusal):
    """Whoever this login was is being erased; once that is done you may join anew."""

    code = "auth.leaving"
    title_zh = "该登录方式对应的账户正在删除；删除完成后可重新加入"


class LoginTaken(Refusal):
    """This login is another citizen's: log in with it instead; two citizens are never merged."""

    code = "auth.login_taken"
    title_zh = "该登录方式已属于另一位市民，请直接用它登录；账户不会合并"


class LoginHeld(Refusal):
    """You have another login of this kind already; unlink that first."""

    code = "auth.login_held"
    title_zh = "您已绑定同类的另一登录方式，请先解绑"


class LoginNotLinked(Refusal):
    """You have no login of this kind."""

    code = "auth.login_not_linked"
    status = 404
    title_zh = "您没有绑定该登录方式"


class LoginOnly(Refusal):
    """This is your only login: link another first, or ask to be erased."""

    code = "auth.login_only"
    title_zh = "这是您唯一的登录方式，请先绑定另一种，或申请删除账户"


class GuardianHeld(Refusal):
    """Somebody stands for this child already, or you stand for as many as one may."""

    code = "guardians.held"
    title_zh = "该未成年人已有监护人，或您监护的人数已达上限"


class GuardianSelf(Refusal):
    """Nobody is their own guardian."""

    code = "guardians.self"
    title_zh = "不能担任自己的监护人"


class WardCodeUnknown(Refusal):
    """Nobody shows this code, or no longer: ask the child for a new one."""

    code = "guardians.code_unknown"
    status = 404
    title_zh = "邀请码无效或已过期，请让未成年人重新生成"


class GuardianshipUnknown(Refusal):
    """You have no such guardianship."""

    code = "guardians.unknown"
    status = 404
    title_zh = "没有该监护关系"


class PhoneInvalid(Refusal):
    """This is not a mobile number."""

    code = "auth.phone_invalid"
    status = 422
    title_zh = "不是手机号"
