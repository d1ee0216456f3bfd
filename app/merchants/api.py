"""Coming in as a merchant (商户入驻与登录接口): apply, enrol, log in."""

from datetime import timedelta
from secrets import token_bytes
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session

from app.kernel.auth import tokens_of
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id
from app.kernel.limits import Limit as Rate
from app.kernel.networks import few_of_network
from app.kernel.tokens import Tokens
from app.kernel.wiring import Db, Secrets
from app.merchants.applications import Application, FirstOwner, apply
from app.merchants.errors import RegistrationInvalid
from app.merchants.people import MEMBERS, log_in
from app.merchants.registry import NewMerchant
from app.merchants.rules import is_registration
from app.merchants.schemas import ApplicationIn, ApplicationReceivedOut, reach_in
from app.sessions import Granted, TokensOut, deliver, open_session
from app.sessions.refresh_tokens import SECRET_BYTES
from app.staff.credentials import new_totp, otpauth_uri
from app.staff.schemas import EnrolmentIn, EnrolmentOut, LoginIn

router = APIRouter(tags=["merchants 商户"])

Signer = Annotated[Tokens, Depends(tokens_of)]
APPLYING: Final = Rate("merchants.apply", 10, timedelta(days=1))
TRIES: Final = Rate("merchants.network", 60, timedelta(hours=1))
"""Of one network (/24, IPv6 /64): each try costs 30 ms and 19 MiB, whoever makes it."""
LABEL: Final = "console"
FewTries: Final = few_of_network(TRIES)


@router.post(
    "/v1/merchant-applications",
    operation_id="applyAsMerchant",
    summary="Apply to sell for points 商户入驻申请",
    status_code=201,
    dependencies=[few_of_network(APPLYING)],
    responses=problems(
        s409="Another application was made with this enrolment secret, or this one is decided.",
        s422="The request is not of the documented form, or the code fails its check.",
        s429="Too many applications; Retry-After says when to come again.",
    ),
)
def apply_as_merchant(body: ApplicationIn, db: Db, keys: Secrets) -> ApplicationReceivedOut:
    """Apply; the hash of the owner's secret names the application, so sending it again is safe."""
    if not is_registration(body.registration):
        raise RegistrationInvalid
    named = (body.name_zh, body.name_en, body.registration)
    merchant = NewMerchant(new_id(), body.kind, *named)
    owner = FirstOwner(
        body.owner.login, body.owner.name, bytes.fromhex(body.owner.enrolment_sha256)
    )
    wish = Application(merchant, owner, now())
    kept = db.transact(apply, keys, wish, reach_in(body))
    return ApplicationReceivedOut(id=kept.public, applied_at=kept.applied_at)


@router.post(
    "/v1/merchant/enrolments",
    operation_id="enrolMerchantUser",
    summary="Enrol: choose a password, get a TOTP secret 商户人员登记",
    status_code=201,
    dependencies=[FewTries],
    responses=problems(
        s401="The secret is wrong, was used or has ended.",
        s422="The password is weak.",
        s429="Too many tries; Retry-After says when to come again.",
    ),
)
def enrol_merchant_user(body: EnrolmentIn, db: Db, keys: Secrets) -> EnrolmentOut:
    """Enrol once, until the first login; whoever lost phone or password is reset by an owner."""
    totp = new_totp()
    MEMBERS.enrol(db, keys, body.login, body.secret, body.password, totp, at=now())
    return EnrolmentOut(otpauth_uri=otpauth_uri(totp, body.login))


@router.post(
    "/v1/merchant/tokens",
    operation_id="logInMerchantUser",
    summary="Log in as one of a merchant's people 商户登录",
    response_model=TokensOut,
    dependencies=[FewTries],
    responses=problems(
        s401="Login, password or code is wrong, or there were too many tries.",
        s422="The request is not of the documented form.",
        s429="Too many tries; Retry-After says when to come again.",
    ),
)
def log_in_merchant_user(body: LoginIn, db: Db, keys: Secrets, signer: Signer) -> Response:
    """Give an access token with the scopes of the person's role, and a refresh token."""
    at, family, secret = now(), new_id(), token_bytes(SECRET_BYTES)
    attempt, step = MEMBERS.check_login(db, keys, body.login, body.password, body.code, at=at)

    def command(session: Session) -> Granted:
        who = log_in(session, attempt, step, at=at)
        return open_session(session, who, label=LABEL, family=family, secret=secret, at=at)

    return deliver(db.transact(command), keys, signer, body.delivery, at=at)
