"""What is refused of merchants (商户的拒绝)."""

from app.firms import Refusals
from app.kernel.problems import Refusal


class MerchantUnknown(Refusal):
    """There is no such merchant."""

    code = "merchants.unknown"
    status = 404
    title_zh = "没有这个商户"


class ApplicationUnknown(Refusal):
    """There is no such application."""

    code = "merchants.application_unknown"
    status = 404
    title_zh = "没有这份入驻申请"


class ApplicationDecided(Refusal):
    """The application was approved or refused before."""

    code = "merchants.application_decided"
    title_zh = "该入驻申请已有结论"


class ApplicationChanged(Refusal):
    """Another application was made with this enrolment secret; make a new one."""

    code = "merchants.application_changed"
    title_zh = "该登记口令已用于另一份申请"


class RegistrationInvalid(Refusal):
    """The unified social credit code does not match its check character."""

    code = "merchants.registration_invalid"
    status = 422
    title_zh = "统一社会信用代码校验不通过"


class RegistrationTaken(Refusal):
    """Another merchant has this unified social credit code."""

    code = "merchants.registration_taken"
    title_zh = "该统一社会信用代码已入驻"


class MerchantSuspended(Refusal):
    """The merchant, or who asks for it, is suspended."""

    code = "merchants.suspended"
    status = 403
    title_zh = "商户或其人员已被暂停"


class MerchantNotSuspended(Refusal):
    """The merchant is not suspended."""

    code = "merchants.not_suspended"
    title_zh = "商户未被暂停"


class MemberUnknown(Refusal):
    """Nobody of this merchant has this id."""

    code = "merchants.user_unknown"
    status = 404
    title_zh = "本商户没有这位人员"


class MemberSelf(Refusal):
    """Another owner suspends or resets you; nobody does it to themselves."""

    code = "merchants.user_self"
    title_zh = "不能暂停或重置自己"


class MembersMany(Refusal):
    """A merchant has at most this many people, or tills in use."""

    code = "merchants.too_many"
    title_zh = "已达数量上限"


class TillUnknown(Refusal):
    """This merchant has no such till in use."""

    code = "merchants.till_unknown"
    status = 404
    title_zh = "本商户没有这台在用终端"


class TillKeyTaken(Refusal):
    """A till with this public key was registered before; a till makes a key of its own."""

    code = "merchants.till_key_taken"
    title_zh = "该终端公钥已被登记"


class TillClosed(Refusal):
    """The till is revoked, has no open shift, or its merchant is suspended."""

    code = "till.closed"
    status = 403
    title_zh = "终端未开班、已停用或商户被暂停"


class ShiftUnknown(Refusal):
    """This is not the shift that is open at this till."""

    code = "till.shift_unknown"
    status = 404
    title_zh = "该班次不是本终端的当前班次"


REFUSALS = Refusals(
    MerchantUnknown,
    MerchantSuspended,
    MerchantNotSuspended,
    RegistrationTaken,
    RegistrationInvalid,
    ApplicationUnknown,
    ApplicationDecided,
    ApplicationChanged,
    MemberUnknown,
    MemberSelf,
    MembersMany,
)
