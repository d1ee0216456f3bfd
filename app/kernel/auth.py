"""Who is asking (鉴权): the bearer of an access token, with the scope that an endpoint names.

An endpoint takes ``Me``, or ``desk(Scope...)``; the scope stands in OpenAPI beside it, from
which the role × endpoint matrix is generated and tested. ``create_app`` refuses a path that
names neither a scope nor a signature and is not on its list of public ones.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.security import HTTPBearer, SecurityScopes
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.routing import BaseRoute

from app.kernel.clock import now
from app.kernel.problems import Refusal
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal, Tokens

_SCHEME: Final = HTTPBearer(
    bearerFormat="JWT",
    scheme_name="accessToken",
    description="`Authorization: Bearer …` from `POST /v1/auth/tokens`. 访问令牌",
    auto_error=False,
)


PROOF: Final = timedelta(minutes=5)
"""How long a login is proof enough for what outlasts the session."""

DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "Your role may not do this.",
}
"""How a clerk may be refused, for the ``problems`` of an endpoint of the desk."""


class EndpointOpen(Exception):  # noqa: N818 -- names a state of the program
    """An endpoint asks nobody who they are, and is not on the list of public ones (未设防接口)."""


class TokenMissing(Refusal):
    """This needs an access token; log in first."""

    code = "auth.token_missing"
    status = 401
    title_zh = "请先登录"

    def headers(self) -> Mapping[str, str]:
        """Name the way to show who one is (RFC 6750)."""
        return {"www-authenticate": "Bearer"}


class ScopeMissing(Refusal):
    """Your role may not do this."""

    code = "auth.scope_missing"
    status = 403
    title_zh = "没有此项权限"

    def headers(self) -> Mapping[str, str]:
        """Say that the token holds and is not enough (RFC 6750)."""
        return {"www-authenticate": 'Bearer error="insufficient_scope"'}


class ProofStale(Refusal):
    """This asks for a login of the last five minutes; log in again."""

    code = "auth.proof_stale"
    status = 401
    title_zh = "此操作须在五分钟内重新登录后进行"

    def headers(self) -> Mapping[str, str]:
        """Say that the token holds, and how old the login may be (RFC 9470)."""
        age_s = int(PROOF.total_seconds())
        error = 'error="insufficient_user_authentication"'
        return {"www-authenticate": f'Bearer {error}, max_age="{age_s}"'}


def tokens_of(request: Request) -> Tokens:
    """Give what reads and makes the tokens of the running city."""
    return request.app.state.tokens


async def principal(
    request: Request,
    asked: SecurityScopes,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)],
) -> Principal:
    """Give who asks, once their token allows every scope that the endpoint names.

    Asynchronous, though it waits for nothing: a tenth of a millisecond of arithmetic costs less
    than a hop to a thread and back.

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


async def _fresh(me: Me) -> Principal:
    if me.proved_at is None or now() - me.proved_at > PROOF:
        raise ProofStale
    return me


FreshMe = Annotated[Principal, Depends(_fresh)]
"""The citizen who asks, having logged in just now: a token that was copied is not enough."""


def refuse_open_endpoints(
    routes: Iterable[BaseRoute],
    *,
    below: str,
    public: Collection[str],
    signatures: Collection[Callable[..., Any]],
) -> None:
    """Pass routes of which each asks for a scope or a signature, or is named as public.

    Args:
        routes: Of the application; those whose path begins otherwise are not looked at.
        below: How the paths begin that are held to this.
        public: ``METHOD /path`` of each endpoint that anybody may ask.
        signatures: Dependencies that check the signature of a request.

    Raises:
        EndpointOpen: Somebody forgot to decide.
    """
    for route in iter_route_contexts(list(routes)):
        path, dependant = route.path or "", getattr(route, "dependant", None)
        if not path.startswith(below) or (dependant and _asks(dependant, signatures)):
            continue
        for method in sorted(route.methods or {"ANY"}):
            if f"{method} {path}" not in public:
                raise EndpointOpen(f"{method} {path} names no scope and no signature; see PUBLIC")


def _asks(dependant: Dependant, signatures: Collection[Callable[..., Any]]) -> bool:
    return any(
        (each.call is principal and bool(each.own_oauth_scopes))
        or each.call in signatures
        or _asks(each, signatures)
        for each in dependant.dependencies
    )
