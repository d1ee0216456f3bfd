"""A merchant's console over HTTP (商户后台接口): its terms, its people, its tills.

Whatever has an id here is looked for among one's own: another merchant's is as if it were nobody's.
"""

from base64 import b64decode
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.tokens import PREFIXES
from app.kernel.wiring import Db
from app.merchants.errors import MemberSelf
from app.merchants.members import Member, Owner
from app.merchants.people import (
    MerchantUser,
    add_user,
    find_user,
    reset_user,
    suspend_user,
    users,
)
from app.merchants.registry import find_merchant
from app.merchants.schemas import (
    MerchantOut,
    TillIn,
    TillOut,
    TillPage,
    UserIn,
    UserOut,
    UserPage,
    UserResetIn,
    merchant_out,
    till_out,
    user_out,
)
from app.merchants.tills import PREFIX as TILL_PREFIX
from app.merchants.tills import Till, add_till, revoke_till, tills
from app.staff import note_act

router = APIRouter(prefix="/v1/merchant", tags=["merchants 商户"])

UserId = Annotated[str, Path(max_length=40, examples=["mus_01k0000000000000000000000a"])]
TillId = Annotated[str, Path(max_length=40, examples=["til_01k0000000000000000000000a"])]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "You are not an owner of a merchant, or one of the two is suspended.",
}
LISTED: Final = problems(**DENIED, s422="The cursor is not of the documented form.")
WRITING: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="Your merchant has no such person.",
    s409="The login or the key is another's, there are too many, or it is yourself.",
    s422="The request is not of the documented form, or its key was used before.",
)


@router.get(
    "",
    operation_id="getMyMerchant",
    summary="Your merchant and what is agreed with it 本商户信息",
    responses=problems(**DENIED),
)
def read_merchant(me: Owner, db: Db) -> MerchantOut:
    """Give the merchant that you work for."""
    return merchant_out(db.read(find_merchant, me.merchant))


@router.get(
    "/users",
    operation_id="listMerchantUsers",
    summary="Your merchant's people 商户人员列表",
    responses=LISTED,
)
def list_users(me: Owner, db: Db, limit: Limit = 50, cursor: Cursor = None) -> UserPage:
    """List everybody who works or worked for your merchant."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(users, me.merchant, after=after, limit=limit + 1)
    return page_of(UserPage, found, limit, user_out, lambda last: (last.id,))


@router.post(
    "/users",
    operation_id="addMerchantUser",
    summary="Take somebody in 新增商户人员",
    status_code=201,
    response_model=UserOut,
    responses=WRITING,
)
def post_user(
    request: Request, body: UserIn, me: Owner, db: Db, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take somebody in, who enrols by the secret of the given hash within three days."""
    user = MerchantUser(new_id(), me.merchant, body.login, body.name, body.role, now())

    def deed(session: Session) -> UserOut:
        add_user(session, user, bytes.fromhex(body.enrolment_sha256))
        _note(session, me, "merchants.add_user", user.public, role=user.role.value)
        return user_out(user)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.post(
    "/users/{user_id}/suspension",
    operation_id="suspendMerchantUser",
    summary="Suspend somebody at once 停用商户人员",
    response_model=UserOut,
    responses=WRITING,
)
def post_user_suspension(
    request: Request, me: Owner, db: Db, user_id: UserId, idempotency_key: IdempotencyKey = None
) -> Response:
    """End somebody's sessions and shifts, and let them log in no more."""
    at = now()

    def deed(session: Session) -> UserOut:
        user = _other(session, me, user_id)
        suspend_user(session, user, at=at)
        _note(session, me, "merchants.suspend_user", user.public)
        return user_out(find_user(session, me.merchant, user.id))

    return answer_once(request, db, me.who, idempotency_key, None, deed, status=200)


@router.post(
    "/users/{user_id}/reset",
    operation_id="resetMerchantUser",
    summary="Let somebody enrol anew 重新登记商户人员",
    response_model=UserOut,
    responses=WRITING,
)
def post_user_reset(
    request: Request,
    body: UserResetIn,
    me: Owner,
    db: Db,
    user_id: UserId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """For somebody who lost phone or password, or shall come back from a suspension."""
    at = now()

    def deed(session: Session) -> UserOut:
        user = _other(session, me, user_id)
        reset_user(session, user, bytes.fromhex(body.enrolment_sha256), at=at)
        _note(session, me, "merchants.reset_user", user.public)
        return user_out(find_user(session, me.merchant, user.id))

    return answer_once(request, db, me.who, idempotency_key, body, deed, status=200)


@router.get(
    "/tills",
    operation_id="listTills",
    summary="Your merchant's tills 终端列表",
    responses=LISTED,
)
def list_tills(me: Owner, db: Db, limit: Limit = 50, cursor: Cursor = None) -> TillPage:
    """List every till that your merchant has or had, and whose shift is open."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(tills, me.merchant, after=after, limit=limit + 1)
    return page_of(TillPage, found, limit, till_out, lambda last: (last.id,))


@router.post(
    "/tills",
    operation_id="addTill",
    summary="Register a till 登记终端",
    status_code=201,
    response_model=TillOut,
    responses=WRITING,
)
def post_till(
    request: Request, body: TillIn, me: Owner, db: Db, idempotency_key: IdempotencyKey = None
) -> Response:
    """Register a till by its public key; somebody opens a shift at it before it can redeem."""
    till = Till(new_id(), me.merchant, body.label, b64decode(body.public_key), now())

    def deed(session: Session) -> TillOut:
        add_till(session, till)
        _note(session, me, "merchants.add_till", till.public)
        return till_out(till)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.delete(
    "/tills/{till_id}",
    operation_id="revokeTill",
    summary="Revoke a till at once 停用终端",
    responses=problems(**DENIED, s404="Your merchant has no such till in use."),
)
def delete_till(me: Owner, db: Db, till_id: TillId) -> TillOut:
    """End a till for good, as one that was lost; what it redeemed stays."""
    at = now()

    def command(session: Session) -> TillOut:
        till = revoke_till(session, me.merchant, parse_public_id(TILL_PREFIX, till_id), at=at)
        _note(session, me, "merchants.revoke_till", till.public)
        return till_out(till)

    return db.transact(command)


def _other(session: Session, me: Member, user: str) -> MerchantUser:
    """Give somebody else of one's own merchant.

    Raises:
        MemberUnknown, MemberSelf: See their own words.
    """
    found = find_user(session, me.merchant, parse_public_id(PREFIXES["merchant"], user))
    if found.id == me.who.id:
        raise MemberSelf
    return found


def _note(session: Session, me: Member, act: str, object_: str, **detail: str) -> None:
    note_act(session, me.who.name, act, object_, at=now(), **detail)
