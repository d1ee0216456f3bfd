"""What a merchant sends as a file (商户上传接口): pictures of offers, and tables of offers."""

from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problem, problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.limits import Limit as Rate
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.sheets import CSV, TABLE_MAX
from app.kernel.wiring import Db, Limited
from app.mall.images import BODY_MAX as PICTURE_MAX
from app.mall.images import served_picture
from app.mall.imports import read_table, report, table_of
from app.mall.merchant_offers_api import DENIED, WRITING, deed_once
from app.mall.object_store import ObjectStore, Pictures
from app.mall.offer_errors import TableRefused
from app.mall.offer_rules import OFFERS_MAX, PREFIX, Offer
from app.mall.offer_schemas import ImportOut, OwnOfferOut
from app.mall.offers import add_image, add_offers, find_offer, offers
from app.mall.pictures import keep_picture
from app.merchants import Owner, find_merchant
from app.merchants.registry import PREFIX as MERCHANT
from app.staff import note_act

FOLDER: Final = "/v1/merchant/offers"
PICTURES: Final = FOLDER + "/{offer_id}/images"
TABLES: Final = FOLDER + "/import"
LARGER_BODIES: Final = {PICTURES: PICTURE_MAX, TABLES: TABLE_MAX}
"""For ``app.kernel.http.install``: which path takes how much [bytes]."""
UPLOADS: Final = Rate("offers.images", 120, timedelta(hours=1))
"""Of one merchant: each costs a decoder up to a second, and the store up to half a megabyte."""
FAULTS_TOLD: Final = 200
EXAMPLE: Final = """\
kind,category,title_zh,title_en,price_points,stocked,per_person,sale_from,sale_to
goods,food,拿铁一杯,A latte,300,100,1,2026-12-01T00:00:00+08:00,2027-03-01T00:00:00+08:00
"""

router = APIRouter(tags=["mall 商城"])

OfferId = Annotated[str, Path(max_length=40, examples=["off_01k0000000000000000000000a"])]


async def raw_body(request: Request) -> bytes:
    """Give the body as it arrived."""
    return await request.body()


Body = Annotated[bytes, Depends(raw_body)]


class Sent(BaseModel):
    """A file that was sent, as an Idempotency-Key tells it from another."""

    sha256: str


class Made(NamedTuple):
    """A picture as it will be served, what it was made of, and where it is kept."""

    picture: bytes
    sent: Sent
    store: ObjectStore


def made_anew(
    me: Owner, db: Db, limits: Limited, pictures: Pictures, offer_id: OfferId, body: Body
) -> Made:
    """Make what was sent for one of the merchant's offers anew.

    Raises:
        OfferUnknown, LimitExceeded, ImageInvalid, ImagesBusy: See their own words.
    """
    db.read(find_offer, parse_public_id(PREFIX, offer_id), merchant=me.merchant)
    limits.take([(UPLOADS, sha256(me.merchant.bytes).digest())], at=now())
    return Made(served_picture(body), Sent(sha256=sha256(body).hexdigest()), pictures)


def _file(*kinds: str, **told: str) -> dict[str, object]:
    schema = {"type": "string", "format": "binary"}
    content = {kind: {"schema": schema, **told} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    PICTURES,
    operation_id="addOfferImage",
    summary="Add a picture to an offer 上传商品图片",
    status_code=201,
    response_model=OwnOfferOut,
    responses=problems(
        **WRITING | {"s422": "It is no single whole JPEG, PNG or WebP of at most 16 Mpx."},
        s429="Too many pictures; Retry-After says when to come again.",
    ),
    openapi_extra=_file("image/jpeg", "image/png", "image/webp"),
)
def post_image(
    request: Request,
    me: Owner,
    db: Db,
    offer_id: OfferId,
    made: Annotated[Made, Depends(made_anew)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add a picture, made anew and without metadata; like any change, of the next version."""
    offer = parse_public_id(PREFIX, offer_id)

    def deed(session: Session) -> Offer:
        name = keep_picture(session, made.store, made.picture)
        return add_image(session, offer, me.merchant, name)

    facts = (idempotency_key, "offers.image", deed)
    return deed_once(request, db, me, *facts, body=made.sent, status=201)


@router.post(
    TABLES,
    operation_id="importOffers",
    summary="Write many offers from a table 批量导入商品",
    status_code=201,
    response_model=ImportOut,
    responses={200: {"description": "A dry run: nothing was added.", "model": ImportOut}}
    | problems(
        **DENIED,
        s400="The Idempotency-Key is missing.",
        s409="The merchant has too many offers.",
        s422="It is no such table, or a row is no offer: `errors` points at each, none was added.",
    ),
    openapi_extra=_file(CSV, example=EXAMPLE),
)
def post_import(
    request: Request,
    me: Owner,
    db: Db,
    body: Body,
    *,
    dry_run: Annotated[bool, Query(description="Tell what would become of each row. 试运行")],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Write a draft a row, or none if one row is at fault; a dry run tells and writes nothing."""
    at, rows = now(), read_table(body, db.read(find_merchant, me.merchant).kind)
    if dry_run:
        return Response(report(rows, None).model_dump_json(), media_type="application/json")
    if faults := [fault.model_dump() for row in rows for fault in row.faults]:
        return problem(request, TableRefused(faults=len(faults)), faults[:FAULTS_TOLD])
    new = [(new_id(), *row.offer) for row in rows if row.offer is not None]

    def deed(session: Session) -> ImportOut:
        added = add_offers(session, me.merchant, new, at=at)
        merchant = public_id(MERCHANT, me.merchant)
        note_act(session, me.who.name, "offers.import", merchant, at=at, offers=len(added))
        return report(rows, added)

    sent = Sent(sha256=sha256(body).hexdigest())
    return answer_once(request, db, me.who, idempotency_key, sent, deed)


@router.get(
    FOLDER + ".csv",
    operation_id="exportOffers",
    summary="Your merchant's offers as a table 导出商品",
    response_class=Response,
    responses={
        200: {"description": "One row an offer, the newest first.", "content": {CSV: {}}},
        **problems(**DENIED),
    },
)
def get_export(me: Owner, db: Db) -> Response:
    """Write every offer as a row; what a spreadsheet would run is made safe by an apostrophe."""
    found = db.read(offers, merchant=me.merchant, state=None, before=None, limit=OFFERS_MAX)
    headers = {"content-disposition": 'attachment; filename="offers.csv"'}
    return Response(table_of(found), headers=headers, media_type=f"{CSV}; charset=utf-8")
