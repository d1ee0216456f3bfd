"""Shifts over HTTP (班次接口): a till signs, and a person shows who they are."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.limits import Limit
from app.kernel.wiring import Db, Limited, Secrets
from app.merchants.people import MEMBERS, log_in
from app.merchants.schemas import ShiftIn, ShiftOut
from app.merchants.shifts import end_shift, open_shift
from app.merchants.tills import PREFIX, SignedTill
from app.staff import note_act

router = APIRouter(prefix="/v1/merchant/shifts", tags=["merchants 商户"])

SHIFT: Final = "shf"
TRIES: Final = Limit("till.shifts", 20, timedelta(hours=1))
"""Of one till, and not of a network: a whole mall may open at nine behind one address."""
S401: Final = "The signature is missing, wrong or stale, or its till is unknown."
ShiftId = Annotated[str, Path(max_length=40, examples=["shf_01k0000000000000000000000a"])]


@router.post(
    "",
    operation_id="openShift",
    summary="Open a shift at a till 开班",
    status_code=201,
    responses=problems(
        s400="The body is not the signed one.",
        s401=f"{S401} Or login, password or code is wrong, or there were too many tries.",
        s403="The till is revoked, or its merchant suspended.",
        s422="The request is not of the documented form.",
        s429="Too many tries; Retry-After says when to come again.",
    ),
)
def post_shift(till: SignedTill, body: ShiftIn, db: Db, keys: Secrets, limits: Limited) -> ShiftOut:
    """Open a shift in place of any that is open; it ends by itself after twelve hours."""
    at, shift = now(), new_id()
    limits.take([(TRIES, keys.login_hash("till/shifts", till.bytes))], at=at)
    attempt, step = MEMBERS.check_login(db, keys, body.login, body.password, body.code, at=at)

    def command(session: Session) -> ShiftOut:
        who = log_in(session, attempt, step, at=at)
        ends_at = open_shift(session, till, who.id, shift=shift, at=at)
        named = public_id(PREFIX, till)
        note_act(session, who.name, "merchants.open_shift", named, at=at)
        id_ = public_id(SHIFT, shift)
        return ShiftOut(id=id_, till=named, keeper=who.name, ends_at=ends_at)

    return db.transact(command)


@router.delete(
    "/{shift_id}",
    operation_id="endShift",
    summary="End the shift at a till 交班",
    status_code=204,
    response_class=Response,
    responses=problems(
        s400="The body is not the signed one.",
        s401=S401,
        s404="This is not the shift that is open at this till.",
    ),
)
def delete_shift(till: SignedTill, db: Db, shift_id: ShiftId) -> Response:
    """End it; a request that somebody recorded ends no later one."""
    at, shift = now(), parse_public_id(SHIFT, shift_id)

    def command(session: Session) -> None:
        end_shift(session, till, shift)
        note_act(session, public_id(PREFIX, till), "merchants.end_shift", shift_id, at=at)

    db.transact(command)
    return Response(status_code=204)
