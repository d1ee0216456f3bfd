"""What is refused at the desk (办事台的拒绝)."""

from app.kernel.problems import Refusal


class ApprovalUnknown(Refusal):
    """There is no such request, or none that your role may sign."""

    code = "approvals.unknown"
    status = 404
    title_zh = "没有这个待签事项"


class ApprovalOpen(Refusal):
    """The same act on the same object awaits its second signature already."""

    code = "approvals.open"
    title_zh = "同一事项已在等待复核"


class ApprovalOwn(Refusal):
    """Nobody signs their own request; a second person does."""

    code = "approvals.own"
    status = 403
    title_zh = "不能复核自己提出的事项"


class ApprovalDecided(Refusal):
    """This request was signed or refused before."""

    code = "approvals.decided"
    title_zh = "该事项已有结论"


class ClerkUnknown(Refusal):
    """There is no such clerk."""

    code = "staff.unknown"
    status = 404
    title_zh = "没有这位工作人员"


class LoginTaken(Refusal):
    """Another clerk has this login name."""

    code = "staff.login_taken"
    title_zh = "登录名已被使用"


class ClerkChanged(Refusal):
    """The clerk's roles changed since this was asked for; ask again."""

    code = "staff.changed"
    title_zh = "该人员的角色已变更，请重新提出"


class RolesConflict(Refusal):
    """A clerk has roles of the desk, and nobody oversees the operator that they are."""

    code = "staff.roles_conflict"
    status = 422
    title_zh = "角色冲突"


class EnrolmentInvalid(Refusal):
    """The enrolment secret is wrong, was used, or has ended."""

    code = "staff.enrolment_invalid"
    status = 401
    title_zh = "登记口令无效"


class PasswordWeak(Refusal):
    """A password has 12 to 200 characters, six different ones, and not the login name."""

    code = "staff.password_weak"
    status = 422
    title_zh = "口令强度不足"


class LoginRefused(Refusal):
    """Login, password or code is wrong, or there were too many tries; wait, then try again."""

    code = "staff.login_refused"
    status = 401
    title_zh = "登录名、口令或动态码有误，或尝试过多，请稍后再试"
