"""Offers at the desk over HTTP (商品审核接口): what awaits a decision, publication, refusal.

One clerk is enough: a published offer pays nobody, and whoever is paid was admitted by two.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.mall.object_store import Pictures
from app.mall.offer_rules import PREFIX, Offer, OfferState
from app.mall.offer_schemas import (
    DecisionIn,
    OwnOfferOut,
    OwnOfferPage,
    RefusalIn,
    own_offer_out,
)
from app.mall.offers import approve, find_offer, offers, refuse
from app.mall.pictures import PICTURE, PictureName, preview
from app.staff import note_act
from app.webhooks import News, NewsKind, merchant_owner, tell

router = APIRouter(prefix="/v1/admin/offers", tags=["mall 商城"])

Approver = Annotated[Principal, desk(Scope.OFFERS_APPROVE)]
OfferId = Annotated[str, Path(max_length=40, examples=["off_01k0000000000000000000000a"])]
State = Annotated[OfferState | None, Query(description="In this state only. 状态")]
DECIDED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such offer.",
    s409="It is another version by now, or in a state of which this is not decided.",
    s422="The request is not of the documented form, or its key was used before.",
)


@router.get(
    "",
    operation_id="listAllOffers",
    summary="Offers of all merchants 商品审核列表",
    responses=problems(**DENIED, s422="The cursor or the filter is not of the documented form."),
)
def list_all_offers(
    _who: Approver, db: Db, state: State = None, limit: Limit = 50, cursor: Cursor = None
) -> OwnOfferPage:
    """List offers in any state, the newest first; `state=submitted` awaits a decision."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(offers, merchant=None, state=state, before=before, limit=limit + 1)
    return page_of(OwnOfferPage, found, limit, own_offer_out, lambda last: (last.id,))


@router.get(
    "/{offer_id}",
    operation_id="getAnyOffer",
    summary="An offer of any merchant 查看待审商品",
    responses=problems(**DENIED, s404="No such offer."),
)
def get_any_offer(_who: Approver, db: Db, offer_id: OfferId) -> OwnOfferOut:
    """Give an offer as its merchant sees it."""
    return own_offer_out(db.read(find_offer, parse_public_id(PREFIX, offer_id)))


@router.get(
    "/{offer_id}/images/{name}",
    operation_id="getAnyOfferImage",
    summary="A picture of an offer of any merchant 查看待审商品图片",
    response_class=Response,
    responses=PICTURE | problems(**DENIED, s404="No such offer, or not with it."),
)
def get_any_image(
    _who: Approver, db: Db, pictures: Pictures, offer_id: OfferId, name: PictureName
) -> Response:
    """Show a picture of an offer in any state, before it is decided on."""
    return preview(pictures, db.read(find_offer, parse_public_id(PREFIX, offer_id)), name)


@router.post(
    "/{offer_id}/approval",
    operation_id="approveOffer",
    summary="Publish an offer 批准上架",
    response_model=OwnOfferOut,
    responses=DECIDED,
)
def post_approval(
    request: Request,
    body: DecisionIn,
    who: Approver,
    db: Db,
    offer_id: OfferId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Publish the version that was read, if it still is the one that was submitted."""
    offer, message, at = parse_public_id(PREFIX, offer_id), new_id(), now()

    def deed(session: Session) -> Offer:
        made = approve(session, offer, body.version, at=at)
        note_act(session, who.name, "offers.approve", made.public, at=at, version=made.version)
        tell(session, [_news(message, NewsKind.OFFER_APPROVED, made, at)])
        return made

    return _decided(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{offer_id}/refusal",
    operation_id="refuseOffer",
    summary="Refuse an offer, or take it down 驳回或强制下架",
    response_model=OwnOfferOut,
    responses=DECIDED,
)
def post_refusal(
    request: Request,
    body: RefusalIn,
    who: Approver,
    db: Db,
    offer_id: OfferId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Refuse what was submitted, or end a sale; its pictures are served no more."""
    offer, message, at = parse_public_id(PREFIX, offer_id), new_id(), now()

    def deed(session: Session) -> Offer:
        made = refuse(session, offer, body.version, body.reason)
        facts = {"version": made.version, "reason": body.reason}
        note_act(session, who.name, "offers.refuse", made.public, at=at, **facts)
        tell(session, [_news(message, NewsKind.OFFER_REFUSED, made, at)])
        return made

    return _decided(request, db, who, idempotency_key, body, deed)


def _decided(
    request: Request,
    db: Db,
    who: Principal,
    key: str | None,
    body: BaseModel,
    deed: Callable[[Session], Offer],
) -> Response:
    def told(session: Session) -> OwnOfferOut:
        return own_offer_out(deed(session))

    return answer_once(request, db, who, key, body, told, status=200)


def _news(message: UUID, kind: NewsKind, made: Offer, at: datetime) -> News:
    cause = f"{made.public}/{made.version}/{at.isoformat()}"
    data = {"offer": made.public, "version": made.version, "reason": made.reason}
    return News(message, merchant_owner(made.merchant), kind, cause, data, at)
