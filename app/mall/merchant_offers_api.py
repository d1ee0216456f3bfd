"""A merchant's offers over HTTP (商户商品接口): list, write, change, submit, withdraw.

Another merchant's offer is as if it were nobody's. A change names by If-Match what it was made to.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.mall.object_store import Pictures
from app.mall.offer_errors import TagMissing
from app.mall.offer_rules import PREFIX, Offer, OfferState
from app.mall.offer_schemas import (
    OfferChangeIn,
    OfferDraftIn,
    OwnOfferOut,
    OwnOfferPage,
    content_in,
    own_offer_out,
)
from app.mall.offers import add_offer, change, find_offer, offers, submit, withdraw
from app.mall.pictures import PICTURE, PictureName, preview
from app.merchants import Member, Owner
from app.staff import note_act

router = APIRouter(prefix="/v1/merchant/offers", tags=["mall 商城"])

OfferId = Annotated[str, Path(max_length=40, examples=["off_01k0000000000000000000000a"])]
State = Annotated[OfferState | None, Query(description="In this state only. 状态")]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "You are not an owner of a merchant, or one of the two is suspended.",
}
OWN: Final = {"s404": "Your merchant has no such offer."}
WRITING: Final = {
    **DENIED,
    **OWN,
    "s400": "The Idempotency-Key is missing.",
    "s409": "The offer's state, its merchant's kind or a limit does not allow it.",
    "s422": "The request is not of the documented form, or its key was used before.",
}
TAGGED: Final = {200: {"headers": {"ETag": {"schema": {"type": "string"}}}}}


def tags_in(
    if_match: Annotated[
        str | None, Header(max_length=1000, description="The ETag that was read; required. 标签")
    ] = None,
) -> frozenset[str]:
    """Read which states of an offer a change was made to.

    Raises:
        TagMissing: None is named.
    """
    if not if_match:
        raise TagMissing
    return frozenset(each.strip() for each in if_match.split(","))


@router.get(
    "",
    operation_id="listOwnOffers",
    summary="Your merchant's offers 本商户商品列表",
    responses=problems(**DENIED, s422="The cursor or the filter is not of the documented form."),
)
def list_own_offers(
    me: Owner, db: Db, state: State = None, limit: Limit = 50, cursor: Cursor = None
) -> OwnOfferPage:
    """List offers in any state, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(offers, merchant=me.merchant, state=state, before=before, limit=limit + 1)
    return page_of(OwnOfferPage, found, limit, own_offer_out, lambda last: (last.id,))


@router.post(
    "",
    operation_id="addOffer",
    summary="Write an offer 新建商品",
    status_code=201,
    response_model=OwnOfferOut,
    responses=problems(**WRITING),
)
def post_offer(
    request: Request, body: OfferDraftIn, me: Owner, db: Db, idempotency_key: IdempotencyKey = None
) -> Response:
    """Write a draft; it is sold once it is submitted and the desk has published it."""
    offer, at = new_id(), now()

    def deed(session: Session) -> Offer:
        return add_offer(session, offer, me.merchant, content_in(body), body.stocked, at=at)

    return deed_once(request, db, me, idempotency_key, "offers.add", deed, body=body, status=201)


@router.get(
    "/{offer_id}",
    operation_id="getOwnOffer",
    summary="One of your merchant's offers 查看本商户商品",
    responses=TAGGED | problems(**DENIED, **OWN),
)
def get_own_offer(me: Owner, db: Db, offer_id: OfferId, response: Response) -> OwnOfferOut:
    """Give an offer under the tag that a change names; what customers take does not end it."""
    found = db.read(find_offer, parse_public_id(PREFIX, offer_id), merchant=me.merchant)
    response.headers["etag"] = found.tag
    return own_offer_out(found)


@router.get(
    "/{offer_id}/images/{name}",
    operation_id="getOwnOfferImage",
    summary="A picture of one of your offers 查看本商户商品图片",
    response_class=Response,
    responses=PICTURE | problems(**DENIED, s404="Your merchant has no such offer, or not with it."),
)
def get_own_image(
    me: Owner, db: Db, pictures: Pictures, offer_id: OfferId, name: PictureName
) -> Response:
    """Show a picture of an offer in any state, a draft too."""
    found = db.read(find_offer, parse_public_id(PREFIX, offer_id), merchant=me.merchant)
    return preview(pictures, found, name)


@router.patch(
    "/{offer_id}",
    operation_id="changeOffer",
    summary="Change an offer, or restock it 修改商品或补货",
    responses=TAGGED
    | problems(
        **DENIED,
        **OWN,
        s409="Less would be stocked than is taken, or a business would list a donation.",
        s412="The offer has changed since it was read.",
        s422="The request is not of the documented form.",
        s428="If-Match is missing.",
    ),
)
def patch_offer(
    body: OfferChangeIn,
    me: Owner,
    db: Db,
    offer_id: OfferId,
    tags: Annotated[frozenset[str], Depends(tags_in)],
    response: Response,
) -> OwnOfferOut:
    """Restock at once; anything else makes a draft of the next version, off the shelf."""
    offer, changes = parse_public_id(PREFIX, offer_id), body.model_dump(exclude_unset=True)
    at = now()

    def command(session: Session) -> Offer:
        made = change(session, offer, me.merchant, tags, changes)
        note(session, me, "offers.change", made, at=at)
        return made

    made = db.transact(command)
    response.headers["etag"] = made.tag
    return own_offer_out(made)


@router.post(
    "/{offer_id}/submission",
    operation_id="submitOffer",
    summary="Ask that an offer be published 提交审核",
    response_model=OwnOfferOut,
    responses=problems(**WRITING),
)
def post_submission(
    request: Request, me: Owner, db: Db, offer_id: OfferId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Send a draft, or a withdrawn offer as it is, to the desk."""
    offer = parse_public_id(PREFIX, offer_id)

    def deed(session: Session) -> Offer:
        return submit(session, offer, me.merchant)

    return deed_once(request, db, me, idempotency_key, "offers.submit", deed)


@router.post(
    "/{offer_id}/withdrawal",
    operation_id="withdrawOffer",
    summary="Take an offer back 下架商品",
    response_model=OwnOfferOut,
    responses=problems(**WRITING),
)
def post_withdrawal(
    request: Request, me: Owner, db: Db, offer_id: OfferId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take an offer off the shelf, or back from the desk; what was ordered stays ordered."""
    offer = parse_public_id(PREFIX, offer_id)

    def deed(session: Session) -> Offer:
        return withdraw(session, offer, me.merchant)

    return deed_once(request, db, me, idempotency_key, "offers.withdraw", deed)


def deed_once(
    request: Request,
    db: Db,
    me: Member,
    key: str | None,
    act: str,
    deed: Callable[[Session], Offer],
    *,
    body: BaseModel | None = None,
    status: int = 200,
) -> Response:
    """Do something to an offer once a key, with a line in the log, and tell what became of it."""
    at = now()

    def noted(session: Session) -> OwnOfferOut:
        made = deed(session)
        note(session, me, act, made, at=at)
        return own_offer_out(made)

    return answer_once(request, db, me.who, key, body, noted, status=status)


def note(session: Session, me: Member, act: str, offer: Offer, *, at: datetime) -> None:
    """Log who did what to which version of an offer."""
    note_act(session, me.who.name, act, offer.public, at=at, version=offer.version)
