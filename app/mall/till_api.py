"""What a till may ask (收银端接口): redeem, look up, reverse, tell what it took without a network.

Who asks is the till whose key signed the request; whether it is open is asked by the deed itself.
"""

from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from app.kernel.auth import desk
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.http import prefers_chinese, problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.once import Answer, IdempotencyKey, readable_key, rendered, request_digest
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets, calls_of, city_of
from app.mall.offline import Taken, tell
from app.mall.order_answers import shown_outcome, shown_redemption, shown_reversal
from app.mall.order_errors import RedemptionUnknown
from app.mall.order_schemas import (
    OfflineRedemptionsIn,
    OfflineRedemptionsOut,
    RedemptionIn,
    RedemptionOut,
    ReversalOut,
)
from app.mall.redeeming import (
    REDEEM,
    Asked,
    facts_of_shown,
    find_redemption,
    redeem_printed,
    told,
)
from app.mall.reversing import Reverser, reverse
from app.mall.till_route import TillRoute
from app.mall.vouchers import read_qr
from app.merchants.tills import SignedTill

SIGNED: Final = "The signature is missing, wrong or stale, or its till is not registered."
KEYED: Final = "The body is not the signed one, or the Idempotency-Key is missing."
CLOSED: Final = "The till has no open shift, was revoked, or its merchant is suspended."
FORM: Final = "The request is not in its form, or the key was used for another."

RedemptionId = Annotated[str, Path(max_length=40, description="核销编号")]
Somebody = Annotated[Principal, desk(Scope.VOUCHERS_REDEEM)]

router = APIRouter(prefix="/v1/merchant", tags=["tills 收银端"])


async def post_redemption(
    request: Request,
    till: SignedTill,
    body: RedemptionIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take the points of a voucher that was shown; to be sent again until it is answered."""
    city, calls = city_of(request), calls_of(request)
    asked = _asked(request, till, idempotency_key, body)
    shown, moved, at = read_qr(body.code), new_id(), now()
    if shown is not None:
        facts = facts_of_shown(city.keys, asked, shown, moved=moved, at=at)
        row = await calls.call(REDEEM, facts)
    else:
        printed = (city.db.transact, redeem_printed, city.keys, asked, body.code)
        row = await run_in_threadpool(*printed, moved=moved, at=at)
    found = told(row)
    is_replayed = found.outcome == "before"
    said = shown_redemption(found, chinese=_chinese(request))
    return _answered(said, HTTPStatus.OK if is_replayed else HTTPStatus.CREATED, is_replayed)


router.add_api_route(
    "/redemptions",
    post_redemption,
    methods=["POST"],
    route_class_override=TillRoute,
    operation_id="redeemVoucher",
    summary="Redeem a voucher 核销",
    status_code=201,
    response_model=RedemptionOut,
    responses={
        200: {"description": "Redeemed here before: the first time again.", "model": RedemptionOut}
    }
    | problems(
        s400=KEYED,
        s401=SIGNED,
        s403=CLOSED,
        s404="There is no such voucher of this merchant.",
        s409="It has expired, was cancelled or reversed, or the code on the screen is too old.",
        s422=FORM,
        s429="This till tried too many printed codes that do not exist.",
        s503="Not known whether it was redeemed: send the same again.",
    ),
)


@router.get(
    "/redemptions/{redemption_id}",
    operation_id="getRedemption",
    summary="One of this merchant's redemptions 查询核销",
    responses=problems(s401=SIGNED, s403=CLOSED, s404="This merchant has no such redemption."),
)
def get_redemption(
    request: Request, db: Db, till: SignedTill, redemption_id: RedemptionId
) -> RedemptionOut:
    """Show a redemption at any till of the merchant, and whether it was reversed."""
    found = db.read(find_redemption, till, _redemption(redemption_id), at=now())
    return shown_redemption(found, chinese=_chinese(request))


_REVERSED: Final = {
    200: {"description": "It was reversed before: the same again.", "model": ReversalOut},
    202: {"description": "Noted: a second person has to confirm.", "model": ReversalOut},
}


@router.post(
    "/redemptions/{redemption_id}/reverse",
    operation_id="reverseRedemption",
    summary="Reverse a redemption 冲正",
    status_code=201,
    response_model=ReversalOut,
    responses=_REVERSED
    | problems(
        s400=KEYED,
        s401=SIGNED,
        s403=CLOSED,
        s404="This merchant has no such redemption.",
        s409="More than 15 minutes have passed.",
        s422=FORM,
        s503="Not known whether it was reversed: send the same again.",
    ),
)
def post_reversal(
    request: Request,
    db: Db,
    till: SignedTill,
    redemption_id: RedemptionId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give the points back: at once at the till that redeemed, else with a second person."""
    asked = _asked(request, till, idempotency_key, None)
    return _reversed(db, Reverser(till, None, *asked[1:]), redemption_id)


@router.post(
    "/redemptions/{redemption_id}/reversal-confirmation",
    operation_id="confirmReversal",
    summary="Ask for or confirm a reversal, as a person 冲正确认",
    status_code=201,
    response_model=ReversalOut,
    responses=_REVERSED
    | problems(
        s400="The Idempotency-Key is missing.",
        s403=CLOSED,
        s404="This merchant has no such redemption.",
        s409="More than 15 minutes have passed.",
        s422=FORM,
        s503="Not known whether it was reversed: send the same again.",
    ),
)
def post_confirmation(
    request: Request,
    db: Db,
    who: Somebody,
    redemption_id: RedemptionId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Be the first or the second of the two people that a reversal takes away from its till."""
    key, digest = readable_key(idempotency_key), _digest(request, None)
    return _reversed(db, Reverser(None, who.id, who.name, key, digest), redemption_id)


@router.post(
    "/offline-redemptions",
    operation_id="tellOfflineRedemptions",
    summary="Tell what was taken without a network 上报离线核销",
    response_model=OfflineRedemptionsOut,
    responses=problems(
        s400=KEYED,
        s401=SIGNED,
        s403=CLOSED,
        s422="The request is not in its form.",
        s503="Not known what of it was redeemed: send the same again.",
    ),
)
def post_offline_redemptions(
    request: Request,
    db: Db,
    keys: Secrets,
    till: SignedTill,
    body: OfflineRedemptionsIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Redeem each on its own; sent again, it answers what holds, so nothing is lost or doubled."""
    readable_key(idempotency_key)
    asked = Asked(till, public_id("til", till), None, None)
    key, chinese = keys.receipt.public_key(), _chinese(request)
    # Each at its own instant: a hundred that wait for locks may take minutes, and whoever reads
    # redemptions in the order of time looks back a little only.
    found = [
        tell(db, key, asked, Taken(each.token, each.at), moved=new_id(), at=now())
        for each in body.taken
    ]
    shown = [shown_outcome(each, chinese=chinese) for each in found]
    return _answered(OfflineRedemptionsOut(data=shown), HTTPStatus.OK)


def _asked(request: Request, till: UUID, key: str | None, body: BaseModel | None) -> Asked:
    return Asked(till, public_id("til", till), readable_key(key), _digest(request, body))


def _digest(request: Request, body: BaseModel | None) -> bytes:
    return request_digest(request, b"" if body is None else body.model_dump_json().encode())


def _reversed(db: Database, who: Reverser, redemption_id: str) -> Response:
    redemption = _redemption(redemption_id)
    found = reverse(db, who, redemption, reversal=new_id(), moved=new_id(), at=now())
    shown = shown_reversal(found, redemption_id)
    return _answered(shown, _STATUS[found.outcome], found.outcome == "before")


_STATUS: Final = {
    "reversed": HTTPStatus.CREATED,
    "before": HTTPStatus.OK,
    "asked": HTTPStatus.ACCEPTED,
}


def _answered(shown: BaseModel, status: HTTPStatus, is_replayed: bool = False) -> Response:  # noqa: FBT001, FBT002 -- both are the answer
    return rendered(Answer(status, shown.model_dump_json().encode()), is_replayed)


def _chinese(request: Request) -> bool:
    return prefers_chinese(request.headers.get("accept-language", ""))


def _redemption(text: str) -> UUID:
    found = parse_public_id("rdm", text)
    if found is None:
        raise RedemptionUnknown
    return found
