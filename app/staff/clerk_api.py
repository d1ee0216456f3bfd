"""Clerks over HTTP (工作人员接口): enrolment and login, and the requests that change who is one."""

from datetime import timedelta
from functools import partial
from secrets import token_bytes
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk, tokens_of
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.limits import Limit as Rate
from app.kernel.networks import few_of_network
from app.kernel.once import IdempotencyKey
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal, Tokens
from app.kernel.wiring import Db, Secrets
from app.sessions import Granted, TokensOut, deliver, open_session
from app.sessions.refresh_tokens import SECRET_BYTES
from app.staff import deeds
from app.staff.answers import answer_asked
from app.staff.asking import ask_admission, ask_change
from app.staff.clerks import clerks
from app.staff.credentials import new_totp, otpauth_uri
from app.staff.login import admit, check_login, enrol
from app.staff.schemas import (
    AdmissionIn,
    ApprovalOut,
    ClerkPage,
    EnrolmentIn,
    EnrolmentOut,
    LoginIn,
    ReasonIn,
    ResetIn,
    RolesIn,
    clerk_out,
)

router = APIRouter(tags=["staff 工作人员"])

Manager = Annotated[Principal, desk(Scope.STAFF_MANAGE)]
Signer = Annotated[Tokens, Depends(tokens_of)]
ClerkId = Annotated[str, Path(max_length=40, examples=["clk_01k0000000000000000000000a"])]
TRIES: Final = Rate("staff.network", 60, timedelta(hours=1))
"""Of one network (/24, IPv6 /64): each try costs 30 ms and 19 MiB, whoever makes it."""
LABEL: Final = "desk"
FewTries: Final = few_of_network(TRIES)
"""Stands on the two endpoints that anybody may ask."""


@router.post(
    "/v1/staff/enrolments",
    operation_id="enrolClerk",
    summary="Enrol as a clerk: choose a password, get a TOTP secret 工作人员登记",
    status_code=201,
    dependencies=[FewTries],
    responses=problems(
        s401="The secret is wrong, was used or has ended.",
        s422="The password is weak.",
        s429="Too many tries; Retry-After says when to come again.",
    ),
)
def enrol_clerk(body: EnrolmentIn, db: Db, keys: Secrets) -> EnrolmentOut:
    """Enrol once, until the first login; a clerk who lost phone or password is reset."""
    totp = new_totp()
    enrol(db, keys, body.login, body.secret, body.password, totp, at=now())
    return EnrolmentOut(otpauth_uri=otpauth_uri(totp, body.login))


@router.post(
    "/v1/staff/tokens",
    operation_id="logInClerk",
    summary="Log in as a clerk 工作人员登录",
    response_model=TokensOut,
    dependencies=[FewTries],
    responses=problems(
        s401="Login, password or code is wrong, or there were too many tries.",
        s422="The request is not of the documented form.",
        s429="Too many tries; Retry-After says when to come again.",
    ),
)
def log_in_clerk(body: LoginIn, db: Db, keys: Secrets, signer: Signer) -> Response:
    """Give an access token with the scopes of the clerk's roles, and a refresh token."""
    at, family, secret = now(), new_id(), token_bytes(SECRET_BYTES)
    attempt, step = check_login(db, keys, body.login, body.password, body.code, at=at)

    def command(session: Session) -> Granted:
        who = deeds.principal_of(admit(session, attempt, step, at=at))
        return open_session(session, who, label=LABEL, family=family, secret=secret, at=at)

    return deliver(db.transact(command), keys, signer, body.delivery, at=at)


@router.get(
    "/v1/admin/clerks",
    operation_id="listClerks",
    summary="List clerks 工作人员列表",
    responses=problems(**DENIED, s422="The cursor is not of the documented form."),
)
def list_clerks(_who: Manager, db: Db, limit: Limit = 50, cursor: Cursor = None) -> ClerkPage:
    """List everybody who is or was a clerk."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(clerks, after=after, limit=limit + 1)
    return page_of(ClerkPage, found, limit, clerk_out, lambda last: (last.id,))


ASKED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such clerk.",
    s409="The login is taken, or the same already awaits its second signature.",
    s422="The roles conflict, or the Idempotency-Key was used for another request.",
)


@router.post(
    "/v1/admin/clerks",
    operation_id="askForClerk",
    summary="Ask for the admission of a clerk 申请新增工作人员",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_clerk(
    request: Request,
    body: AdmissionIn,
    who: Manager,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; once a second person signs, the clerk enrols by the secret of the given hash."""
    facts = {
        "name": body.name,
        "organisation": body.organisation,
        "enrolment": body.enrolment_sha256,
    }
    asks = partial(ask_admission, clerk=new_id(), login=body.login, roles=body.roles, facts=facts)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/clerks/{clerk_id}/roles",
    operation_id="askForRoles",
    summary="Ask for other roles of a clerk 申请变更角色",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_roles(
    request: Request,
    body: RolesIn,
    who: Manager,
    db: Db,
    clerk_id: ClerkId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask for all the roles that the clerk shall have from the second signature on."""
    clerk = parse_public_id("clk", clerk_id)
    asks = partial(ask_change, clerk=clerk, act=deeds.ROLES, roles=body.roles)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/clerks/{clerk_id}/suspension",
    operation_id="askForSuspension",
    summary="Ask for the suspension of a clerk 申请停用工作人员",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_suspension(
    request: Request,
    body: ReasonIn,
    who: Manager,
    db: Db,
    clerk_id: ClerkId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature ends the clerk's sessions, an access token within ten minutes."""
    asks = partial(ask_change, clerk=parse_public_id("clk", clerk_id), act=deeds.SUSPEND)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/clerks/{clerk_id}/reset",
    operation_id="askForReset",
    summary="Ask that a clerk may enrol anew 申请重新登记",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_reset(
    request: Request,
    body: ResetIn,
    who: Manager,
    db: Db,
    clerk_id: ClerkId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask, for a clerk who lost phone or password, or shall come back from a suspension."""
    clerk, enrolment = parse_public_id("clk", clerk_id), body.enrolment_sha256
    asks = partial(ask_change, clerk=clerk, act=deeds.RESET, enrolment=enrolment)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)
