"""Making a gathering neutral over HTTP (中和接口): reserve, true up, retire, where it stands."""

from datetime import datetime
from secrets import token_bytes
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Response
from sqlmodel import Session

from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.neutrality.gatherings import Gathering
from app.neutrality.organising import (
    DENIED,
    OF_ONE,
    ONE,
    OWN,
    GatheringId,
    Organiser,
    Own,
    gathering_of,
)
from app.neutrality.reserving import PREFIX, Wanted, release, reservations, reserve
from app.neutrality.reserving_schemas import (
    GatheringRetirementList,
    GatheringRetirementOut,
    ReservationIn,
    ReservationOut,
    ReservationPage,
    StandingOut,
    TrueUpOut,
    gathering_retirement_out,
    reservation_out,
    standing_out,
    true_up_out,
)
from app.neutrality.retiring import retire, take_back
from app.neutrality.standing import retirements, standing_of
from app.neutrality.truing_up import true_up
from app.registry.batches import PREFIX as BATCH
from app.registry.retirements import PREFIX as RETIREMENT

SALT_BYTES: Final = 32
ReservationId = Annotated[
    str, Path(pattern=r"^rsv_[0-9a-z]{26}$", examples=["rsv_01k0000000000000000000000a"])
]
RetirementId = Annotated[
    str, Path(pattern=r"^ret_[0-9a-z]{26}$", examples=["ret_01k0000000000000000000000a"])
]

router = APIRouter(tags=["gatherings 大型活动"])


@router.post(
    ONE + "/reservations",
    operation_id="reserveForGathering",
    summary="Set units aside 预留单位",
    status_code=201,
    response_model=ReservationOut,
    responses=problems(**OF_ONE),
)
def post_reservation(body: ReservationIn, own: Own) -> Response:
    """Move units of your organisation to the gathering, where they are held until a day."""
    id_, batch = new_id(), parse_public_id(BATCH, body.batch)

    def deed(session: Session, gathering: Gathering, at: datetime) -> ReservationOut:
        wanted = Wanted(batch, body.quantity_kg, body.until)
        facts = (session, gathering, wanted)
        return reservation_out(reserve(*facts, reservation=id_, new_id=new_id, at=at))

    return own.once("gatherings.reserve", deed, body=body)


@router.get(
    ONE + "/reservations",
    operation_id="listReservations",
    summary="What a gathering has set aside 预留列表",
    responses=problems(**DENIED, **OWN, s422="The cursor is not of this list."),
)
def list_reservations(
    me: Organiser, db: Db, gathering_id: GatheringId, limit: Limit = 50, cursor: Cursor = None
) -> ReservationPage:
    """List reservations, the newest first, with what is left of each."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    gathering = db.read(gathering_of, me, gathering_id)
    found = db.read(reservations, gathering, before=before, limit=limit + 1)
    return page_of(ReservationPage, found, limit, reservation_out, lambda last: (last.id,))


@router.post(
    ONE + "/reservations/{reservation_id}/release",
    operation_id="releaseReservation",
    summary="Give a reservation back 解除预留",
    status_code=200,
    response_model=ReservationOut,
    responses=problems(**OF_ONE | {"s404": "There is no such gathering or reservation of yours."}),
)
def post_release(own: Own, reservation_id: ReservationId) -> Response:
    """Give what is left of it back to your organisation."""
    named = parse_public_id(PREFIX, reservation_id)

    def deed(session: Session, gathering: Gathering, at: datetime) -> ReservationOut:
        return reservation_out(release(session, gathering, named, new_id=new_id, at=at))

    return own.once("gatherings.release", deed, status=200)


@router.post(
    ONE + "/true-up",
    operation_id="trueUpGathering",
    summary="True up what is set aside 轧差",
    status_code=201,
    response_model=TrueUpOut,
    responses=problems(**OF_ONE),
)
def post_true_up(own: Own) -> Response:
    """Add what is missing to cover what was emitted, or give the rest back."""
    id_ = new_id()

    def deed(session: Session, gathering: Gathering, at: datetime) -> TrueUpOut:
        return true_up_out(true_up(session, gathering, id_=id_, new_id=new_id, at=at))

    return own.once("gatherings.true_up", deed)


@router.get(
    ONE + "/standing",
    operation_id="getGatheringStanding",
    summary="Where a gathering stands 中和进度",
    responses=problems(
        **DENIED, s404="Your organisation has no such gathering, or it is not counted or planned."
    ),
)
def get_standing(me: Organiser, db: Db, gathering_id: GatheringId) -> StandingOut:
    """Show what was emitted, what has made up for it, and what is still to be retired."""
    return standing_out(
        db.read(lambda session: standing_of(session, gathering_of(session, me, gathering_id)))
    )


@router.post(
    ONE + "/retirement",
    operation_id="retireForGathering",
    summary="Retire what was emitted 活动注销",
    status_code=201,
    response_model=GatheringRetirementList,
    responses=problems(**OF_ONE),
)
def post_retirement(own: Own) -> Response:
    """Ask for the retirement of what is still needed, of what is set aside."""

    def deed(session: Session, gathering: Gathering, at: datetime) -> GatheringRetirementList:
        made = retire(session, gathering, new_id=new_id, new_salt=_salt, at=at)
        return GatheringRetirementList(data=[gathering_retirement_out(each) for each in made])

    return own.once("gatherings.retire", deed)


@router.get(
    ONE + "/retirement",
    operation_id="listGatheringRetirements",
    summary="What a gathering retires 活动注销列表",
    responses=problems(**DENIED, **OWN),
)
def list_retirements(me: Organiser, db: Db, gathering_id: GatheringId) -> GatheringRetirementList:
    """List them, the oldest first; those that were taken back are left out."""
    gathering = db.read(gathering_of, me, gathering_id)
    found = db.read(retirements, gathering)
    return GatheringRetirementList(data=[gathering_retirement_out(each) for each in found])


@router.post(
    ONE + "/retirement/{retirement_id}/reversal",
    operation_id="takeBackGatheringRetirement",
    summary="Take a retirement back 撤回活动注销",
    status_code=200,
    response_model=GatheringRetirementOut,
    responses=problems(**OF_ONE | {"s404": "There is no such gathering or retirement of yours."}),
)
def post_reversal(own: Own, retirement_id: RetirementId) -> Response:
    """Take it back while it has no serials; its units are set aside as before."""
    named = parse_public_id(RETIREMENT, retirement_id)

    def deed(session: Session, gathering: Gathering, at: datetime) -> GatheringRetirementOut:
        found = take_back(session, gathering, named, new_id=new_id, at=at)
        return gathering_retirement_out(found)

    return own.once("gatherings.take_back", deed, status=200)


def _salt() -> bytes:
    return token_bytes(SALT_BYTES)
