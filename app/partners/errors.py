"""What partners are refused (合作机构的拒绝); at the token endpoint each is an OAuth error too."""

from typing import ClassVar

from app.kernel.problems import Refusal


class PartnerUnknown(Refusal):
    """There is no such partner."""

    code = "partners.unknown"
    status = 404
    title_zh = "没有这个合作机构"


class PartnerKeyUnknown(Refusal):
    """The partner has no such key in force."""

    code = "partners.key_unknown"
    status = 404
    title_zh = "没有这把有效公钥"


class PartnerKeyTaken(Refusal):
    """The partner used this key id before; give the new key another."""

    code = "partners.key_taken"
    title_zh = "公钥编号已被使用"


class PartnerKeyMalformed(Refusal):
    """This is not a public key on Ed25519 or P-256."""

    code = "partners.key_malformed"
    status = 422
    title_zh = "公钥格式不正确"


class TokenRefused(Refusal):
    """The token endpoint gives nothing for this."""

    error: ClassVar[str]
    """As RFC 6749 §5.2 names it."""


class ClientInvalid(TokenRefused):
    """The assertion is not one that a key of this client, in force, signed for here and once."""

    code = "oauth.client_invalid"
    status = 401
    title_zh = "客户端断言无效"
    error = "invalid_client"


class TokenRequestInvalid(TokenRefused):
    """The token request lacks a field, repeats one, or is no form."""

    code = "oauth.request_invalid"
    status = 400
    title_zh = "令牌请求格式不正确"
    error = "invalid_request"


class GrantUnsupported(TokenRefused):
    """The only grant here is client_credentials, with an assertion of type jwt-bearer."""

    code = "oauth.grant_unsupported"
    status = 400
    title_zh = "不支持该授权方式"
    error = "unsupported_grant_type"


class ScopeExceeded(TokenRefused):
    """The scope is more than this client has."""

    code = "oauth.scope_exceeded"
    status = 400
    title_zh = "申请的权限超出范围"
    error = "invalid_scope"
