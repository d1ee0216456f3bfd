"""Who is asking (鉴权): the bearer of an access token, with the scope that an endpoint names.

An endpoint takes ``Me``, or ``desk(Scope...)``; the scope stands in OpenAPI beside it, from
which the role × endpoint matrix is generated and tested. ``create_app`` refuses a path that
names neither a scope nor a signature and is not on its list of public ones.
"""

from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes
from fastapi.security.http import HTTPAuthorizationCredentials

from app.kernel.problems import Refusal
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal, Tokens

_SCHEME: Final = HTTPBearer(
    bearerFormat="JWT",
    scheme_name="accessToken",
    description="`Authorization: Bearer …` from `POST /v1/auth/tokens`. 访问令牌",
    auto_error=False,
)


class TokenMissing(Refusal):
    """This needs an access token; log in first."""

    code = "auth.token_missing"
    status = 401
    title_zh = "请先登录"


class ScopeMissing(Refusal):
    """Your role may not do this."""

    code = "auth.scope_missing"
    status = 403
    title_zh = "没有此项权限"


def tokens_of(request: Request) -> Tokens:
    """Give what reads and makes the tokens of the running city."""
    return request.app.state.tokens


def principal(
    request: Request,
    asked: SecurityScopes,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)],
) -> Principal:
    """Give who asks, once their token allows every scope that the endpoint names.

    Raises:
        TokenMissing, TokenInvalid, ScopeMissing: See their own words.
    """
    if given is None:
        raise TokenMissing
    who = tokens_of(request).read(given.credentials)
    if not who.scopes.issuperset(Scope(each) for each in asked.scopes):
        raise ScopeMissing(needed=" ".join(asked.scopes))
    return who


def desk(scope: Scope) -> object:
    """Ask for somebody with this scope; stands behind ``Principal`` in an ``Annotated``."""
    return Security(principal, scopes=[scope.value])


Me = Annotated[Principal, Security(principal, scopes=[Scope.ME.value])]
"""The citizen who asks; every statement has their bucket and owner in its WHERE."""
