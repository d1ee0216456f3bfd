"""Sessions over HTTP (会话接口): refresh, log out, see and end one's devices; the public keys."""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Path, Request, Response

from app.kernel.auth import Me, tokens_of
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import parse_public_id, public_id
from app.kernel.tokens import Tokens
from app.kernel.wiring import Db, Secrets
from app.sessions.commands import close_own, close_session, refresh
from app.sessions.delivery import Shown, deliver, forget
from app.sessions.errors import SessionEnded, SessionUnknown
from app.sessions.grants import Granted, Rights
from app.sessions.queries import devices_of
from app.sessions.rules import Step
from app.sessions.schemas import KeySetOut, SessionOut, SessionsOut, TokensOut

router = APIRouter(tags=["identity 登录"])
log = structlog.get_logger()

KEYS_CACHED: Final = "public, max-age=300"

Signer = Annotated[Tokens, Depends(tokens_of)]


def _rights(request: Request) -> Rights:
    return request.app.state.rights


@router.post(
    "/v1/auth/tokens/refresh",
    operation_id="refreshTokens",
    summary="Exchange a refresh token for new tokens 刷新令牌",
    response_model=TokensOut,
    responses=problems(
        s401="The session has ended, or this token was replayed, which ends it.",
        s403="The cookie came from another site.",
        s422="The request is not of the documented form.",
        s503="A server that this needs is away; send the same token again.",
    ),
)
def refresh_tokens(
    shown: Shown, db: Db, keys: Secrets, rights: Annotated[Rights, Depends(_rights)], signer: Signer
) -> Response:
    """Give the next pair; the same token gives the same one again for 30 s after its first use."""
    (token, delivery), at = shown, now()
    granted = db.transact(refresh, keys, rights, token, at=at)
    if granted is Step.REPLAYED:
        log.warning(
            "refresh token replayed; session closed", session=public_id("ses", token.family)
        )
    if not isinstance(granted, Granted):
        raise SessionEnded
    return deliver(granted, keys, signer, delivery, at=at)


@router.delete(
    "/v1/auth/tokens",
    operation_id="logOut",
    summary="Log out 退出登录",
    status_code=204,
    response_class=Response,
    responses=problems(
        s401="Not a refresh token of ours.",
        s403="The cookie came from another site.",
        s422="The request is not of the documented form.",
        s503="A server that this needs is away; try again.",
    ),
)
def log_out(shown: Shown, db: Db) -> Response:
    """End the session that the refresh token is of; doing so twice is no error."""
    db.transact(close_session, shown[0], at=now())
    return forget(Response(status_code=204))


@router.get(
    "/v1/auth/sessions",
    operation_id="listSessions",
    summary="See where you are logged in 登录设备",
    responses=problems(s401="No access token, or one that has ended.", s403="Not a citizen."),
)
def list_sessions(me: Me, db: Db) -> SessionsOut:
    """List your open sessions; there are at most a hundred of them."""
    return SessionsOut(
        data=[
            SessionOut(
                id=public_id("ses", each.family),
                label=each.label,
                opened_at=each.opened_at,
                seen_at=each.seen_at,
                ends_at=each.ends_at,
            )
            for each in db.read(devices_of, me, at=now())
        ]
    )


@router.delete(
    "/v1/auth/sessions/{session_id}",
    operation_id="endSession",
    summary="Log out another device 下线设备",
    status_code=204,
    response_class=Response,
    responses=problems(
        s401="No access token, or one that has ended.",
        s403="Not a citizen.",
        s404="No such session of yours that is open.",
    ),
)
def end_session(me: Me, db: Db, session_id: Annotated[str, Path(max_length=40)]) -> Response:
    """End one of your sessions; its access token lives on for ten minutes at most."""
    family = parse_public_id("ses", session_id)
    if family is None or not db.transact(close_own, me, family, at=now()):
        raise SessionUnknown
    return Response(status_code=204)


@router.get(
    "/.well-known/jwks.json",
    operation_id="accessTokenKeys",
    summary="Public keys of access tokens 访问令牌公钥",
)
def access_token_keys(signer: Signer, response: Response) -> KeySetOut:
    """Give every key under which a token may still be in use (RFC 7517)."""
    response.headers["Cache-Control"] = KEYS_CACHED
    return KeySetOut(keys=signer.public_keys())
