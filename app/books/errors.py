"""What the books refuse (账簿的拒绝)."""

from app.kernel.problems import Refusal


class Overdrawn(Refusal):
    """A holder would go below zero."""

    code = "books.overdrawn"
    title_zh = "余额不足"


class AccountUnknown(Refusal):
    """A transfer names an owner that was never opened."""

    code = "books.account_unknown"
    title_zh = "账户不存在"
