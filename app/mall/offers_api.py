"""The catalogue over HTTP (商品目录接口): offers and their pictures, for anybody and any cache."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.kernel.clock import now
from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import Str, problems
from app.kernel.ids import parse_public_id, public_id
from app.kernel.limits import Limit as Rate
from app.kernel.networks import count_of_network
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db, Limited, Secrets
from app.mall.catalogue import OnSale, Wanted, is_shown, on_sale, one_on_sale
from app.mall.categories import CATEGORIES, Category
from app.mall.images import MEDIA_TYPE
from app.mall.object_store import Pictures
from app.mall.offer_errors import ImageUnknown
from app.mall.offer_rules import PREFIX, OfferKind
from app.mall.offer_schemas import (
    CategoryList,
    CategoryOut,
    OfferDetailOut,
    OfferOut,
    OfferPage,
    content_out,
)
from app.mall.order_schemas import POINTS_MAX, MerchantNamed
from app.mall.pictures import INERT, PICTURE, PictureName
from app.merchants.registry import PREFIX as MERCHANT

JSON: Final = "application/json"
FRESH: Final = {"cache-control": "public, max-age=30", **OPEN}
"""How long a suspended merchant's offers may linger in a cache; an order is refused at once."""
FOR_GOOD: Final = {
    "cache-control": "public, max-age=31536000, immutable",
    **INERT,
    **OPEN,
}
SEARCHES: Final = Rate("offers.searched", 600, timedelta(minutes=10))
"""By words, of one network: of 40 ms each at 10,000 offers, a twenty-fifth of a core."""
NOBODY: Final = UUID(int=0)

router = APIRouter(prefix="/v1", tags=["mall 商城"])

MerchantId = Annotated[
    str | None,
    Query(
        pattern=r"^mer_[0-9a-z]{26}$",
        examples=["mer_01k0000000000000000000000a"],
        description="Of one merchant. 商户",
    ),
]
OfferId = Annotated[str, Path(max_length=40, examples=["off_01k0000000000000000000000a"])]
Words = Annotated[
    Str | None, Query(max_length=100, description="All of these words, anywhere. 关键词")
]
PriceMin = Annotated[int | None, Query(ge=1, le=POINTS_MAX, description="[points] 最低积分")]
PriceMax = Annotated[int | None, Query(ge=1, le=POINTS_MAX, description="[points] 最高积分")]


def wanted(
    q: Words = None,
    category: Annotated[Category | None, Query(description="类目")] = None,
    kind: Annotated[OfferKind | None, Query(description="种类")] = None,
    merchant: MerchantId = None,
    price_points_min: PriceMin = None,
    price_points_max: PriceMax = None,
) -> Wanted:
    """Read what somebody looks for; a merchant that cannot be has no offers."""
    found = None if merchant is None else parse_public_id(MERCHANT, merchant) or NOBODY
    return Wanted(q, category, kind, found, price_points_min, price_points_max)


LookedFor = Annotated[Wanted, Depends(wanted)]


def few_searches(looked_for: LookedFor, request: Request, limits: Limited, keys: Secrets) -> None:
    """Count a search by words, which reads every offer; what filters alone ask has an index.

    Raises:
        LimitExceeded: The network asked for too many.
    """
    if (looked_for.words or "").strip():
        count_of_network(SEARCHES, request, limits, keys)


@router.get(
    "/offers",
    operation_id="listOffers",
    summary="What points buy 商品列表",
    response_model=OfferPage,
    dependencies=[Depends(few_searches)],
    responses=problems(
        s422="A filter or the cursor is not of the documented form.",
        s429="Too many searches from one network; Retry-After says when to come again.",
    ),
)
def list_offers(
    db: Db,
    looked_for: LookedFor,
    limit: Limit = 50,
    cursor: Cursor = None,
    if_none_match: Known = None,
) -> Response:
    """List what is on sale now, the newest first."""
    after = read_cursor(cursor, datetime, UUID) if cursor else None
    found = db.read(on_sale, looked_for, after=after, limit=limit + 1, at=now())
    page = page_of(OfferPage, found, limit, _told, lambda last: (last.published_at, last.id))
    return tagged(page.model_dump_json().encode(), JSON, FRESH, if_none_match)


@router.get(
    "/offers/{offer_id}",
    operation_id="getOffer",
    summary="One offer, and what is left of it 商品详情",
    response_model=OfferDetailOut,
    responses=problems(s404="No such offer is on sale now."),
)
def get_offer(db: Db, offer_id: OfferId, if_none_match: Known = None) -> Response:
    """Show an offer that is on sale now; an order names its version and price."""
    found = db.read(one_on_sale, parse_public_id(PREFIX, offer_id), at=now())
    told = OfferDetailOut(**dict(_told(found)), left=found.left)
    return tagged(told.model_dump_json().encode(), JSON, FRESH, if_none_match)


@router.get(
    "/offer-categories",
    operation_id="listOfferCategories",
    summary="What offers are sorted under 商品类目",
    response_model=CategoryList,
)
def list_categories(if_none_match: Known = None) -> Response:
    """List every category, in the order in which they are shown."""
    told = [
        CategoryOut(code=code, title_zh=titles.zh, title_en=titles.en)
        for code, titles in CATEGORIES.items()
    ]
    return tagged(CategoryList(data=told).model_dump_json().encode(), JSON, FRESH, if_none_match)


@router.get(
    "/public/images/{name}",
    operation_id="getOfferImage",
    summary="A picture of an offer 商品图片",
    response_class=Response,
    responses=PICTURE | problems(s404="There is no such picture, or no published offer shows it."),
)
def get_image(
    db: Db,
    pictures: Pictures,
    name: PictureName,
    if_none_match: Known = None,
) -> Response:
    """Give a picture by the SHA-256 of its bytes: what a cache has of it stays right for good."""
    data = pictures.get(name) if db.read(is_shown, name) else None
    if data is None:
        raise ImageUnknown
    return tagged(data, MEDIA_TYPE, FOR_GOOD, if_none_match)


def _told(found: OnSale) -> OfferOut:
    merchant = MerchantNamed(
        id=public_id(MERCHANT, found.merchant),
        name_zh=found.merchant_zh,
        name_en=found.merchant_en,
    )
    return OfferOut(
        id=public_id(PREFIX, found.id),
        version=found.version,
        merchant=merchant,
        sold_out=found.left == 0,
        **content_out(found.content),
    )
