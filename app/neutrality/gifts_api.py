"""What attendees do for a gathering over HTTP (参与者接口): give, and say whose a trip is."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from app.citizens import Citizen
from app.kernel.auth import Me
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.neutrality.gatherings import PREFIX
from app.neutrality.gifts import Offering, gifts_of, give
from app.neutrality.gifts_schemas import (
    ACT,
    GatheringGiftIn,
    GatheringGiftOut,
    GatheringGiftPage,
    TripSideIn,
    TripSideOut,
    gift_out,
    side_out,
)
from app.neutrality.organising import ONE, GatheringId
from app.neutrality.sides import TripChoice, choose_side

LAST: Final = UUID(int=2**128 - 1)
KEYED: Final = {
    "s400": "The Idempotency-Key is missing.",
    "s422": "The request is not of the documented form, or its key was used before.",
}

router = APIRouter(tags=["gatherings 大型活动"])


@router.post(
    ONE + "/gifts",
    operation_id="giveToGathering",
    summary="Give to a gathering 捐赠减排量",
    status_code=201,
    response_model=GatheringGiftOut,
    responses=problems(
        **KEYED,
        s404="There is no such gathering, or its plan is not public.",
        s409="It takes no gifts, or you hold less than that.",
    ),
)
def post_gift(
    request: Request,
    body: GatheringGiftIn,
    me: Me,
    db: Db,
    gathering_id: GatheringId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give reductions for ever; what a correction takes back later lowers the gathering's sum."""
    id_, at, gathering = new_id(), now(), parse_public_id(PREFIX, gathering_id)

    def deed(session: Session) -> GatheringGiftOut:
        offering, facts = Offering(body.grade, body.co2e_mg), (session, _citizen(me), gathering)
        return gift_out(give(*facts, offering, gift=id_, new_id=new_id, at=at))

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get(
    "/v1/me/gifts",
    operation_id="listMyGifts",
    summary="What I gave to gatherings 我的捐赠",
    responses=problems(s422="The cursor is not of this list."),
)
def list_gifts(me: Me, db: Db, limit: Limit = 50, cursor: Cursor = None) -> GatheringGiftPage:
    """List your gifts, the newest first, those of trips among them."""
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(gifts_of, _citizen(me), before=before, limit=limit + 1)
    return page_of(GatheringGiftPage, found, limit, gift_out, lambda last: (last.id,))


@router.post(
    ONE + "/sides",
    operation_id="chooseTripSide",
    summary="Say whose a trip is 选择出行归属",
    status_code=201,
    response_model=TripSideOut,
    responses=problems(
        **KEYED | {"s422": f"{KEYED['s422'][:-1]}; or this is no ticket of the gathering."},
        s404="There is no such gathering, or no such trip of yours on its days.",
        s409="It was chosen otherwise before, or is too late, or what it earned or the ticket is"
        " used.",
    ),
)
def post_side(
    request: Request,
    body: TripSideIn,
    me: Me,
    db: Db,
    keys: Secrets,
    gathering_id: GatheringId,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Say whether a trip lowers the gathering's footprint or stays yours: once, and for ever."""
    id_, at, gathering = new_id(), now(), parse_public_id(PREFIX, gathering_id)
    choice = TripChoice(parse_public_id(ACT, body.activity), body.side, body.ticket)

    def deed(session: Session) -> TripSideOut:
        facts = (session, keys, _citizen(me), gathering, choice)
        return side_out(choose_side(*facts, gift=id_, new_id=new_id, at=at))

    return answer_once(request, db, me, idempotency_key, body, deed)


def _citizen(me: Principal) -> Citizen:
    return Citizen(me.bucket, me.owner)
