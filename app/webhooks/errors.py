"""What owners of endpoints are refused (网络回调的拒绝)."""

from app.kernel.problems import Refusal


class EndpointUnknown(Refusal):
    """There is no such endpoint of yours."""

    code = "webhooks.endpoint_unknown"
    status = 404
    title_zh = "没有这个回调地址"


class EndpointsMany(Refusal):
    """You have as many endpoints as one may; delete one first."""

    code = "webhooks.endpoints_many"
    title_zh = "回调地址数量已达上限"


class EndpointOff(Refusal):
    """The endpoint is off; put it on first."""

    code = "webhooks.endpoint_off"
    title_zh = "回调地址已停用，请先启用"


class UrlRefused(Refusal):
    """Messages do not go there: it takes https, a public host, and port 443 or 8443."""

    code = "webhooks.url_refused"
    status = 422
    title_zh = "不允许的回调地址：须为公网 https 地址，端口 443 或 8443"


class NewsForeign(Refusal):
    """Endpoints of your kind are not told this."""

    code = "webhooks.news_foreign"
    status = 422
    title_zh = "不能订阅此类消息"


class ReplayUnclear(Refusal):
    """Name either a message or an instant."""

    code = "webhooks.replay_unclear"
    status = 422
    title_zh = "请指定一条消息或一个起始时刻"


class MessageUnknown(Refusal):
    """There is no such message to you, or it is kept no longer."""

    code = "webhooks.message_unknown"
    status = 404
    title_zh = "没有这条消息，或已过保存期"


class NoSharedSecret(Refusal):
    """This endpoint's messages are signed with Ed25519; there is no secret that you share."""

    code = "webhooks.no_shared_secret"
    title_zh = "该地址使用 Ed25519 签名，没有共享密钥"
