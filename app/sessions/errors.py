"""What is refused of sessions (会话的拒绝)."""

from app.kernel.problems import Refusal


class SessionEnded(Refusal):
    """This session has ended; log in again."""

    code = "auth.session_ended"
    status = 401
    title_zh = "登录已失效，请重新登录"


class SessionUnknown(Refusal):
    """You have no such session."""

    code = "auth.session_unknown"
    status = 404
    title_zh = "没有这个登录会话"


class CrossSite(Refusal):
    """The session's cookie is taken from pages of this origin alone."""

    code = "auth.cross_site"
    status = 403
    title_zh = "不接受来自其他网站的登录请求"
