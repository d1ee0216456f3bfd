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
