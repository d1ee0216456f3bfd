"""Coming in as somebody of a firm (单位人员登录接口): apply, enrol, log in."""

from datetime import timedelta
from secrets import token_bytes
from typing import Annotated, Final, TypeVar

from fastapi import APIRouter, Depends, Response
from fastapi.params import Depends as Dependency
from sqlmodel import Session

from app.firms.applications import Application, Applications, NewFirm
from app.firms.people import FirmUser, People
from app.firms.rules import is_registration
from app.firms.schemas import ApplicationReceivedOut, FirmApplicationIn, owner_in, reach_in
from app.kernel.auth import tokens_of
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.http import problems
from app.kernel.ids import new_id
from app.kernel.limits import Limit
from app.kernel.networks import few_of_network
from app.kernel.secrets import Keys
from app.kernel.tokens import Tokens
from app.kernel.wiring import Db, Secrets
from app.sessions import Granted, TokensOut, deliver, open_session
from app.sessions.refresh_tokens import SECRET_BYTES
from app.staff.credentials import new_totp, otpauth_uri
from app.staff.schemas import EnrolmentIn, EnrolmentOut, LoginIn

UserT = TypeVar("UserT", bound=FirmUser)
NewT = TypeVar("NewT", bound=NewFirm)
Signer = Annotated[Tokens, Depends(tokens_of)]
LABEL: Final = "console"
APPLIED: Final = problems(
    s409="Another application was made with this enrolment secret, or this one is decided.",
    s422="The request is not of the documented form, or the code fails its check.",
    s429="Too many applications; Retry-After says when to come again.",
)


def few_applications(plural: str) -> Dependency:
    """Take ten a day of one network, for one sort of firm."""
    return few_of_network(Limit(f"{plural}.apply", 10, timedelta(days=1)))


def few_tries(plural: str) -> Dependency:
    """Of one network (/24, IPv6 /64): each try costs 30 ms and 19 MiB, whoever makes it."""
    return few_of_network(Limit(f"{plural}.network", 60, timedelta(hours=1)))


def take_application(
    db: Database,
    keys: Keys,
    applications: Applications[NewT],
    firm: NewT,
    body: FirmApplicationIn,
) -> ApplicationReceivedOut:
    """Keep an application; the hash of the owner's secret names it, so it may be sent again.

    Raises:
        Refusal: ``registration_invalid``, ``application_changed``, ``application_decided``.
    """
    if not is_registration(body.registration):
        raise applications.sort.refusals.registration_invalid
    wish = Application(firm, owner_in(body), now())
    kept = db.transact(applications.apply, keys, wish, reach_in(body))
    id_ = applications.sort.named(kept.firm.id)
    return ApplicationReceivedOut(id=id_, applied_at=kept.applied_at)


def add_enrolment(router: APIRouter, people: People[UserT]) -> None:
    """Add the endpoint by which somebody enrols."""
    sort, roll = people.sort, people.roll

    @router.post(
        f"/v1/{sort.kind}/enrolments",
        operation_id=f"enrol{sort.word}User",
        summary=f"Enrol: choose a password, get a TOTP secret {sort.zh}人员登记",
        status_code=201,
        dependencies=[few_tries(sort.plural)],
        responses=problems(
            s401="The secret is wrong, was used or has ended.",
            s422="The password is weak.",
            s429="Too many tries; Retry-After says when to come again.",
        ),
    )
    def enrol(body: EnrolmentIn, db: Db, keys: Secrets) -> EnrolmentOut:
        """Enrol once, until the first login; an owner resets whoever lost phone or password."""
        totp = new_totp()
        roll.enrol(db, keys, body.login, body.secret, body.password, totp, at=now())
        return EnrolmentOut(otpauth_uri=otpauth_uri(totp, body.login))

    _ = enrol


def add_login(router: APIRouter, people: People[UserT]) -> None:
    """Add the endpoint by which somebody logs in."""
    sort, roll = people.sort, people.roll

    @router.post(
        f"/v1/{sort.kind}/tokens",
        operation_id=f"logIn{sort.word}User",
        summary=f"Log in as somebody who works there {sort.zh}登录",
        response_model=TokensOut,
        dependencies=[few_tries(sort.plural)],
        responses=problems(
            s401="Login, password or code is wrong, or there were too many tries.",
            s422="The request is not of the documented form.",
            s429="Too many tries; Retry-After says when to come again.",
        ),
    )
    def log_in(body: LoginIn, db: Db, keys: Secrets, signer: Signer) -> Response:
        """Give an access token with the scopes of the person's role, and a refresh token."""
        at, family, secret = now(), new_id(), token_bytes(SECRET_BYTES)
        attempt, step = roll.check_login(db, keys, body.login, body.password, body.code, at=at)

        def command(session: Session) -> Granted:
            who = people.log_in(session, attempt, step, at=at)
            return open_session(session, who, label=LABEL, family=family, secret=secret, at=at)

        return deliver(db.transact(command), keys, signer, body.delivery, at=at)

    _ = log_in
