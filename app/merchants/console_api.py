"""A merchant's console over HTTP (商户后台接口): its terms, its people, its tills.

Whatever has an id here is looked for among one's own: another merchant's is as if it were nobody's.
"""

from base64 import b64decode
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.firms.people_api import DENIED, WRITING, add_own_people, take_in
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.wiring import Db
from app.merchants.members import Member, Owner
from app.merchants.people import PEOPLE, MerchantUser
from app.merchants.registry import find_merchant
from app.merchants.schemas import (
    WIRES,
    MerchantOut,
    TillIn,
    TillOut,
    TillPage,
    UserIn,
    UserOut,
    merchant_out,
    till_out,
)
from app.merchants.tills import PREFIX as TILL_PREFIX
from app.merchants.tills import Till, add_till, revoke_till, tills
from app.staff import note_act

router = APIRouter(tags=["merchants 商户"])

TillId = Annotated[str, Path(max_length=40, examples=["til_01k0000000000000000000000a"])]
LISTED: Final = problems(**DENIED, s422="The cursor is not of the documented form.")


@router.get(
    "/v1/merchant",
    operation_id="getMyMerchant",
    summary="Your merchant and what is agreed with it 本商户信息",
    responses=problems(**DENIED),
)
def read_merchant(me: Owner, db: Db) -> MerchantOut:
    """Give the merchant that you work for."""
    return merchant_out(db.read(find_merchant, me.merchant))


@router.post(
    "/v1/merchant/users",
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
    return take_in(request, db, PEOPLE, me.who, user, body, WIRES, idempotency_key)


add_own_people(router, PEOPLE, WIRES, Scope.MERCHANT_MANAGE)


@router.get(
    "/v1/merchant/tills",
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
    "/v1/merchant/tills",
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
        _note(session, me, "merchants.add_till", till, till.opened_at)
        return till_out(till)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.delete(
    "/v1/merchant/tills/{till_id}",
    operation_id="revokeTill",
    summary="Revoke a till at once 停用终端",
    responses=problems(**DENIED, s404="Your merchant has no such till in use."),
)
def delete_till(me: Owner, db: Db, till_id: TillId) -> TillOut:
    """End a till for good, as one that was lost; what it redeemed stays."""
    at = now()

    def command(session: Session) -> TillOut:
        till = revoke_till(session, me.merchant, parse_public_id(TILL_PREFIX, till_id), at=at)
        _note(session, me, "merchants.revoke_till", till, at)
        return till_out(till)

    return db.transact(command)


def _note(session: Session, me: Member, act: str, till: Till, at: datetime) -> None:
    note_act(session, me.who.name, act, till.public, at=at)
