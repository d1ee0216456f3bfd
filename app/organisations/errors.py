"""What is refused of organisations (机构的拒绝)."""

from app.firms import Refusals
from app.kernel.problems import Refusal


class OrganisationUnknown(Refusal):
    """There is no such organisation."""

    code = "organisations.unknown"
    status = 404
    title_zh = "没有这个机构"


class OrganisationSuspended(Refusal):
    """The organisation, or who asks for it, is suspended."""

    code = "organisations.suspended"
    status = 403
    title_zh = "机构或其人员已被暂停"


class OrganisationNotSuspended(Refusal):
    """The organisation is not suspended."""

    code = "organisations.not_suspended"
    title_zh = "机构未被暂停"


class OrganisationTaken(Refusal):
    """Another organisation has this unified social credit code."""

    code = "organisations.registration_taken"
    title_zh = "该统一社会信用代码已有机构"


class OrganisationRegistrationInvalid(Refusal):
    """The organisation's unified social credit code does not match its check character."""

    code = "organisations.registration_invalid"
    status = 422
    title_zh = "机构统一社会信用代码校验不通过"


class OrganisationApplicationUnknown(Refusal):
    """There is no such application of an organisation."""

    code = "organisations.application_unknown"
    status = 404
    title_zh = "没有这份机构入驻申请"


class OrganisationApplicationDecided(Refusal):
    """The organisation's application was approved or refused before."""

    code = "organisations.application_decided"
    title_zh = "该机构入驻申请已有结论"


class OrganisationApplicationChanged(Refusal):
    """An organisation applied otherwise with this enrolment secret; make a new one."""

    code = "organisations.application_changed"
    title_zh = "该登记口令已用于另一份机构申请"


class OrganisationUserUnknown(Refusal):
    """Nobody of this organisation has this id."""

    code = "organisations.user_unknown"
    status = 404
    title_zh = "本机构没有这位人员"


class OrganisationUserSelf(Refusal):
    """Another owner of the organisation suspends or resets you; nobody does it to themselves."""

    code = "organisations.user_self"
    title_zh = "不能暂停或重置自己的机构账号"


class OrganisationUsersMany(Refusal):
    """An organisation has at most this many people."""

    code = "organisations.too_many"
    title_zh = "机构人员已达上限"


class OperatorUnknown(Refusal):
    """The operator's own organisation was not opened yet."""

    code = "organisations.operator_unknown"
    title_zh = "运营方机构尚未开立"


class OperatorOpened(Refusal):
    """The operator's own organisation is open, under other names or another code."""

    code = "organisations.operator_opened"
    title_zh = "运营方机构已开立"


REFUSALS = Refusals(
    OrganisationUnknown,
    OrganisationSuspended,
    OrganisationNotSuspended,
    OrganisationTaken,
    OrganisationRegistrationInvalid,
    OrganisationApplicationUnknown,
    OrganisationApplicationDecided,
    OrganisationApplicationChanged,
    OrganisationUserUnknown,
    OrganisationUserSelf,
    OrganisationUsersMany,
)
