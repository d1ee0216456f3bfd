"""How tokens reach their holder (令牌的交付): in the answer's body, or for a web page in a cookie.

A page cannot keep a secret from a script that got into it, so a page asks for the cookie: no
script reads it, no other site's request carries it (SameSite=Strict), it goes to this one path
alone, and a request that brings it from another origin is refused.
"""

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Cookie, Depends, Request, Response
from fastapi.responses import JSONResponse

from app.kernel.http import Str
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.kernel.tokens import LIFETIME, Tokens
from app.sessions.errors import CrossSite, SessionEnded
from app.sessions.grants import Granted
from app.sessions.refresh_tokens import RefreshToken, read_refresh_token
from app.sessions.schemas import Delivery, RefreshIn, TokensOut

COOKIE: Final = "__Secure-tanpu-refresh"
COOKIE_PATH: Final = "/v1/auth/tokens"
OWN_SITE: Final = frozenset({"same-origin", "none"})


def deliver(
    granted: Granted, keys: Keys, tokens: Tokens, delivery: Delivery, *, at: datetime
) -> Response:
    """Answer with the tokens of a session."""
    text = granted.token.text(keys)
    told = TokensOut(
        who=granted.who.name,
        session=public_id("ses", granted.token.family),
        access_token=tokens.issue(granted.who, at=at),
        access_ends_at=at + LIFETIME,
        refresh_token=text if delivery == "body" else None,
        refresh_ends_at=granted.ends_at,
    )
    answer = JSONResponse(told.model_dump(mode="json"))
    if delivery == "cookie":
        _set_cookie(answer, text, int((granted.ends_at - at).total_seconds()))
    return answer


def forget(answer: Response) -> Response:
    """Take the cookie back."""
    _set_cookie(answer, "", 0)
    return answer


def _set_cookie(answer: Response, text: str, age_s: int) -> None:
    answer.set_cookie(
        COOKIE, text, max_age=age_s, path=COOKIE_PATH, secure=True, httponly=True, samesite="strict"
    )


def _shown(
    request: Request,
    body: RefreshIn,
    cookie: Annotated[Str | None, Cookie(alias=COOKIE, max_length=200)] = None,
) -> tuple[RefreshToken, Delivery]:
    """Give the refresh token of a request and where it came from; the body goes first.

    Raises:
        SessionEnded: There is none, or it is none of ours.
        CrossSite: The cookie came with a request of another origin's page.
    """
    text, delivery = body.refresh_token, "body"
    if text is None and cookie is not None:
        _refuse_other_sites(request)
        text, delivery = cookie, "cookie"
    keys: Keys = request.app.state.city.keys
    token = None if text is None else read_refresh_token(keys, text)
    if token is None:
        raise SessionEnded
    return token, delivery


Shown = Annotated[tuple[RefreshToken, Delivery], Depends(_shown)]


def _refuse_other_sites(request: Request) -> None:
    """Ask the browser, which tells in headers that no page can set."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in OWN_SITE:
        raise CrossSite
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise CrossSite
