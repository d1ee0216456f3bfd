"""The wire forms of offers (商品的对外形式)."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic import StringConstraints as Text

from app.kernel.http import Int, Str
from app.kernel.ids import public_id
from app.kernel.sheets import TableFault
from app.mall.categories import Category
from app.mall.offer_rules import IMAGES_MAX, Content, Offer, OfferKind, OfferState
from app.mall.order_schemas import FROZEN, POINTS_MAX, MerchantNamed, OfferId
from app.merchants.registry import PREFIX as MERCHANT
from app.staff.schemas import Reason

STOCK_MAX: Final = 10**9
LIMIT_MAX: Final = 10**6
IMAGE_NAME: Final = r"^[0-9a-f]{64}$"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def _as_written(given: object) -> object:
    if isinstance(given, datetime) or (isinstance(given, str) and _DAY.match(given)):
        return given
    raise ValueError("an instant is written as RFC 3339 says")


Title = Annotated[
    Str,
    Text(
        min_length=1,
        max_length=100,
        strip_whitespace=True,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    ),
]
Description = Annotated[Str, Text(max_length=2000)]
Instant = Annotated[AwareDatetime, BeforeValidator(_as_written)]
ImageName = Annotated[str, Text(pattern=IMAGE_NAME)]
Images = Annotated[
    tuple[ImageName, ...],
    Field(
        max_length=IMAGES_MAX,
        description="In order; each at `/v1/public/images/{name}` while its offer is published, and"
        " for its merchant and the desk at `images/{name}` below the offer. 图片",
    ),
]
PricePoints = Annotated[
    Int, Field(ge=1, le=POINTS_MAX, examples=[300], description="A piece [points]. 积分价")
]
PriceFen = Annotated[
    Int,
    Field(
        ge=0,
        le=POINTS_MAX,
        examples=[0],
        description="Paid besides, at the till [fen]. 另付金额（分）",
    ),
]
Stocked = Annotated[
    Int,
    Field(ge=0, le=STOCK_MAX, examples=[100], description="All there ever were of it. 累计库存"),
]
PerPerson = Annotated[
    Annotated[Int, Field(ge=1, le=LIMIT_MAX)] | None,
    Field(examples=[1], description="For one citizen, ever; null: no limit. 每人限兑"),
]
PerDay = Annotated[
    Annotated[Int, Field(ge=1, le=LIMIT_MAX)] | None,
    Field(examples=[20], description="For all, on a day of Asia/Shanghai. 每日限量"),
]
VoucherDays = Annotated[
    Int, Field(ge=1, le=366, examples=[30], description="How long a voucher holds. 券有效天数")
]
Version = Annotated[Int, Field(ge=1, le=2**31 - 1, examples=[1])]


class OfferDraftIn(BaseModel):
    """What a merchant wishes to sell for points."""

    model_config = FROZEN

    kind: OfferKind
    category: Category
    title_zh: Title = Field(examples=["拿铁一杯"])
    title_en: Title = Field(examples=["A latte"])
    text_zh: Description = ""
    text_en: Description = ""
    price_points: PricePoints
    price_fen: PriceFen = 0
    stocked: Stocked
    per_person: PerPerson = None
    per_day: PerDay = None
    sale_from: Instant = Field(examples=["2026-12-01T00:00:00+08:00"])
    sale_to: Instant = Field(examples=["2027-03-01T00:00:00+08:00"])
    voucher_days: VoucherDays = 30


def _unsaid() -> Any:  # noqa: ANN401 -- never read: only what was said is changed
    return None


class OfferChangeIn(BaseModel):
    """What shall change; all but ``stocked`` takes a published offer to the desk again."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"minProperties": 1})

    kind: OfferKind = Field(default_factory=_unsaid)
    category: Category = Field(default_factory=_unsaid)
    title_zh: Title = Field(default_factory=_unsaid)
    title_en: Title = Field(default_factory=_unsaid)
    text_zh: Description = Field(default_factory=_unsaid)
    text_en: Description = Field(default_factory=_unsaid)
    price_points: PricePoints = Field(default_factory=_unsaid)
    price_fen: PriceFen = Field(default_factory=_unsaid)
    stocked: Stocked = Field(default_factory=_unsaid)
    per_person: PerPerson = Field(default_factory=_unsaid)
    per_day: PerDay = Field(default_factory=_unsaid)
    sale_from: Instant = Field(default_factory=_unsaid)
    sale_to: Instant = Field(default_factory=_unsaid)
    voucher_days: VoucherDays = Field(default_factory=_unsaid)
    images: Images = Field(default_factory=_unsaid)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a change names at least one field")
        return self


class _Shown(BaseModel):
    """What is shown of an offer to whoever may see it."""

    model_config = FROZEN

    id: OfferId
    version: Version
    kind: OfferKind
    category: Category
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    price_points: PricePoints
    price_fen: PriceFen
    per_person: PerPerson
    per_day: PerDay
    sale_from: datetime
    sale_to: datetime
    voucher_days: VoucherDays
    images: Images


class OwnOfferOut(_Shown):
    """An offer as its merchant and the desk see it."""

    merchant: str = Field(examples=["mer_01k0000000000000000000000e"])
    state: OfferState
    reason: str | None = Field(description="Why the desk refused it. 驳回原因")
    stocked: Stocked
    taken: int = Field(description="Reserved or redeemed. 已兑换", examples=[3])
    created_at: datetime
    published_at: datetime | None


class OwnOfferPage(BaseModel):
    """Some offers, the newest first."""

    model_config = FROZEN

    data: Sequence[OwnOfferOut]
    next_cursor: str | None


class DecisionIn(BaseModel):
    """Which version was read."""

    model_config = FROZEN

    version: Version


class RefusalIn(BaseModel):
    """Which version was read, and why it is refused; the merchant is told."""

    model_config = FROZEN

    version: Version
    reason: Reason


class OfferOut(_Shown):
    """An offer that is on sale (商品)."""

    merchant: MerchantNamed
    sold_out: bool = Field(description="Of stock, or of what today allows. 已兑完")


class OfferDetailOut(OfferOut):
    """An offer, with what is left of it."""

    left: int = Field(description="Of stock, and of what today allows. 剩余", examples=[97])


class OfferPage(BaseModel):
    """Some offers, the newest first."""

    model_config = FROZEN

    data: Sequence[OfferOut]
    next_cursor: str | None


class CategoryOut(BaseModel):
    """What offers are sorted under."""

    model_config = FROZEN

    code: Category
    title_zh: str = Field(examples=["餐饮食品"])
    title_en: str = Field(examples=["Food and drink"])


class CategoryList(BaseModel):
    """Every category, in the order in which they are shown."""

    model_config = FROZEN

    data: Sequence[CategoryOut]


class ImportRowOut(BaseModel):
    """What becomes of one row, or would."""

    model_config = FROZEN

    row: int = Field(description="The first below the names of the columns is 1.", examples=[1])
    outcome: Literal["added", "valid", "refused"]
    offer: OfferId | None
    errors: Sequence[TableFault]


class ImportOut(BaseModel):
    """What a table of offers made, or would make."""

    model_config = FROZEN

    dry_run: bool
    added: int
    refused: int
    rows: Sequence[ImportRowOut]


def content_in(body: OfferDraftIn) -> Content:
    """Read the content out of a request."""
    return Content(**body.model_dump(exclude={"stocked"}))


def content_out(content: Content) -> dict[str, Any]:
    """Tell the content's fields."""
    return {name: getattr(content, name) for name in Content.__slots__}


def own_offer_out(offer: Offer) -> OwnOfferOut:
    """Tell an offer to its merchant or the desk."""
    return OwnOfferOut(
        id=offer.public,
        merchant=public_id(MERCHANT, offer.merchant),
        state=offer.state,
        version=offer.version,
        reason=offer.reason,
        stocked=offer.stocked,
        taken=offer.taken,
        created_at=offer.created_at,
        published_at=offer.published_at,
        **content_out(offer.content),
    )
