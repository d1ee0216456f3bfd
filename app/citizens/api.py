"""Logging in over HTTP (登录接口): a code by text message, tokens for it, another way in."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from app.citizens.codes import RESEND
from app.citizens.consents import Citizen
from app.citizens.entrance import Entrance
from app.citizens.identities import Way
from app.citizens.logins import logins_of, unlink_login
from app.citizens.schemas import CodeIn, CodeOut, LoginIn, LoginOut, LoginsOut, TokensIn
from app.kernel.auth import FreshMe, Me, tokens_of
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.http import problems
from app.kernel.ids import public_id
from app.kernel.limits import network_of
from app.kernel.tokens import Tokens
from app.kernel.wiring import Configuration, Db, Limited, Secrets
from app.sessions import TokensOut, deliver

router = APIRouter(prefix="/v1/auth", tags=["identity 登录"])

LIMITED = "Too often; Retry-After says when again."
AWAY = "A server that this needs is away; try again."


def entrance(
    request: Request, db: Db, keys: Secrets, limits: Limited, settings: Configuration
) -> Entrance:
    """Put together what a request to log in stands on."""
    state = request.app.state
    address = request.client.host if request.client is not None else ""
    most, network = settings.codes_hourly_max, network_of(address)
    return Entrance(db, keys, limits, state.sms, state.wechat, most, network)


Gate = Annotated[Entrance, Depends(entrance)]


@router.post(
    "/codes",
    operation_id="askForCode",
    summary="Send a one-time code to a phone 发送验证码",
    status_code=202,
    responses=problems(
        s422="Not a mobile number, or not of the documented form.", s429=LIMITED, s503=AWAY
    ),
)
def ask_for_code(body: CodeIn, gate: Gate, response: Response) -> CodeOut:
    """Send six digits, good for five minutes on this device; every number is answered alike."""
    at = now()
    asked = gate.ask_code(body.phone, body.device, at=at)
    response.headers.update(asked.left.headers())
    return CodeOut(
        challenge=public_id("chl", asked.challenge), ends_at=asked.ends_at, resend_at=at + RESEND
    )


@router.post(
    "/tokens",
    operation_id="logIn",
    summary="Log in by code or WeChat 登录",
    response_model=TokensOut,
    responses=problems(
        s401="The code is wrong, used up or too old, or the platform does not vouch for it.",
        s404="Nobody has this WeChat login yet, or this city takes none.",
        s409="Whoever this login was is being erased.",
        s422="The request is not of the documented form.",
        s429=LIMITED,
        s503=AWAY,
    ),
)
def log_in(
    body: Annotated[TokensIn, Body()],
    gate: Gate,
    keys: Secrets,
    signer: Annotated[Tokens, Depends(tokens_of)],
) -> Response:
    """Give an access token and a refresh token; a phone's first login opens its citizen."""
    at = now()
    return deliver(gate.enter(body, at=at), keys, signer, body.delivery, at=at)


@router.get(
    "/logins",
    operation_id="listLogins",
    summary="See how you can log in 登录方式",
    responses=problems(s401="No access token, or one that has ended.", s403="Not a citizen."),
)
def list_logins(me: Me, db: Db) -> LoginsOut:
    """List the kinds of login that you have, without the number or id itself."""
    return _shown(db, Citizen(me.bucket, me.owner))


@router.post(
    "/logins",
    operation_id="linkLogin",
    summary="Link a phone or WeChat to yourself 绑定登录方式",
    responses=problems(
        s401="No access token, a login of more than five minutes ago, or the code does not hold.",
        s403="Not a citizen.",
        s404="This city takes no WeChat logins.",
        s409="It is another citizen's, or you have one of this kind; nobody is ever merged.",
        s422="The request is not of the documented form.",
        s429=LIMITED,
        s503=AWAY,
    ),
)
def link_a_login(me: FreshMe, body: Annotated[LoginIn, Body()], gate: Gate) -> LoginsOut:
    """Link one more way in; what is another citizen's stays theirs, and its code stays good."""
    citizen = Citizen(me.bucket, me.owner)
    gate.link(citizen, body, at=now())
    return _shown(gate.db, citizen)


@router.delete(
    "/logins/{way}",
    operation_id="unlinkLogin",
    summary="Unlink a phone or WeChat, and log out everywhere 解绑登录方式",
    status_code=204,
    response_class=Response,
    responses=problems(
        s401="No access token, or a login of more than five minutes ago.",
        s403="Not a citizen.",
        s404="You have no login of this kind.",
        s409="It is your only login.",
    ),
)
def unlink_a_login(me: FreshMe, db: Db, keys: Secrets, way: Way) -> Response:
    """Take one way in away; who logged in by it is logged out, and so are all others."""
    db.transact(unlink_login, keys, me, way, at=now())
    return Response(status_code=204)


def _shown(db: Database, citizen: Citizen) -> LoginsOut:
    found = db.read(logins_of, citizen)
    return LoginsOut(data=[LoginOut(way=each.way, linked_at=each.linked_at) for each in found])
