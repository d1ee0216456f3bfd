"""What readers of notices are refused (通知的拒绝)."""

from app.kernel.problems import Refusal


class NoticeUnknown(Refusal):
    """You have no such notice."""

    code = "notices.unknown"
    status = 404
    title_zh = "没有这条通知"
