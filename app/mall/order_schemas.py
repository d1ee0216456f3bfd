"""The wire forms of orders, vouchers and redemptions (订单、券与核销的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, Str

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
TOLD_MAX: Final = 100
POINTS_MAX: Final = 10**8

OfferId = Annotated[
    str,
    Field(
        pattern=r"^off_[0-9a-z]{26}$",
        examples=["off_01k0000000000000000000000a"],
        description="商品编号",
    ),
]
Quantity = Annotated[Int, Field(ge=1, le=20, examples=[1], description="数量")]
State = Literal["reserved", "redeemed", "cancelled", "expired", "reversed"]
OrderId = Annotated[str, Field(examples=["ord_01k0000000000000000000000b"])]
VoucherId = Annotated[str, Field(examples=["vch_01k0000000000000000000000c"])]
RedemptionId = Annotated[str, Field(examples=["rdm_01k0000000000000000000000c"])]
TillId = Annotated[str, Field(examples=["til_01k0000000000000000000000d"])]


class OrderIn(BaseModel):
    """What to order, as it was shown: another version or price is refused."""

    model_config = FROZEN

    offer: OfferId
    version: Int = Field(ge=1, le=2**31 - 1, examples=[1])
    price_points: Int = Field(ge=1, le=POINTS_MAX, examples=[300], description="A piece.")
    price_fen: Int = Field(
        default=0, ge=0, le=POINTS_MAX, description="A piece, paid besides at the till."
    )
    quantity: Quantity = 1


class PartOut(BaseModel):
    """Points of one class that pay."""

    model_config = FROZEN

    programme: str = Field(examples=["green"])
    expires: date = Field(description="The last day of these points; a refund keeps it.")
    points: int = Field(examples=[300])


class OrderQuoteOut(BaseModel):
    """What an order would take now (试算); nothing is promised by it."""

    model_config = FROZEN

    offer: OfferId
    version: int = Field(examples=[1])
    quantity: Quantity
    points: int = Field(examples=[300])
    fen: int = Field(description="Paid besides at the till.", examples=[0])
    parts: Sequence[PartOut] = Field(description="Which classes would pay: earliest expiry first.")
    available_points: int = Field(description="Points that could pay, now.", examples=[520])
    available_after_points: int = Field(examples=[220])
    missing_points: int = Field(description="What is lacking.", examples=[0])


class OfferNamed(BaseModel):
    """An offer, by its id and what it is called."""

    model_config = FROZEN

    id: OfferId
    kind: Literal["goods", "coupon", "ticket", "donation"]
    title_zh: str = Field(examples=["拿铁"])
    title_en: str = Field(examples=["Latte"])


class MerchantNamed(BaseModel):
    """A merchant, by its id and name."""

    model_config = FROZEN

    id: str = Field(examples=["mer_01k0000000000000000000000e"])
    name_zh: str
    name_en: str


class OrderOut(BaseModel):
    """An order (订单): points that are reserved for a voucher, and what became of them."""

    model_config = FROZEN

    id: OrderId
    state: State
    offer: OfferNamed
    version: int
    merchant: MerchantNamed
    quantity: int
    points: int = Field(examples=[300])
    fen: int = Field(description="Paid besides at the till.")
    parts: Sequence[PartOut] = Field(description="Which classes pay: earliest expiry first.")
    voucher: VoucherId
    placed_at: datetime
    ends_at: datetime = Field(description="The voucher may be redeemed before it.")
    ended_at: datetime | None = Field(
        description="When it was redeemed, cancelled, given back or reversed."
    )
    offline_until: datetime | None = Field(
        description="Till when a till without a network may take it."
    )


class OrderPage(BaseModel):
    """Some orders, the newest first."""

    model_config = FROZEN

    data: Sequence[OrderOut]
    next_cursor: str | None


class VoucherOut(BaseModel):
    """A voucher (券) that can be redeemed now, and what the phone needs to show it."""

    model_config = FROZEN

    id: VoucherId
    order: OrderId
    offer: OfferNamed
    quantity: int
    ends_at: datetime
    qr: str = Field(
        description="To be shown now: `v1.<voucher>.<step>.<mac>`; refused two steps later.",
        examples=["v1.vch_01k0000000000000000000000c.59466666.0e4e24d1a0ea"],
    )
    refresh_at: datetime = Field(description="When the next step begins.")
    key: str = Field(
        description="The voucher's own key, in hex. The mac of a step is the first 12 hex digits of"
        " HMAC-SHA256 under it over the step's number in decimal; a step lasts 30 s from the epoch."
    )
    printed: str = Field(description="For paper.", examples=["WFQC-2HFW-D266"])


class OfflineOut(BaseModel):
    """A voucher that tills without a network may take (离线券)."""

    model_config = FROZEN

    voucher: VoucherId
    token: str = Field(
        description="`o1.<payload>.<signature>`: JSON in base64url, and Ed25519 over all before"
        " the last dot, by the ledger's receipt key."
    )
    until: datetime = Field(description="It may be taken before; the order is held a day longer.")


class RedemptionIn(BaseModel):
    """What the till read: the QR text, or the printed code as somebody typed it."""

    model_config = FROZEN

    code: Annotated[Str, StringConstraints(min_length=1, max_length=80)] = Field(
        examples=["WFQC-2HFW-D266"]
    )


class RedemptionOut(BaseModel):
    """A redeemed voucher (核销)."""

    model_config = FROZEN

    id: RedemptionId
    voucher: VoucherId
    state: Literal["redeemed", "reversed"]
    offer: str = Field(examples=["off_01k0000000000000000000000a"])
    title_zh: str = Field(examples=["拿铁"])
    title_en: str = Field(examples=["Latte"])
    quantity: int
    points: int = Field(examples=[300])
    fen: int = Field(description="To be paid at the till besides.")
    claim_fen: int = Field(description="What the merchant may claim for the points.")
    redeemed_at: datetime
    till: TillId | None = Field(description="Null: a donation, redeemed as it was ordered.")
    message: str = Field(examples=["Already redeemed here at 2026-11-22 14:03"])


class TakenIn(BaseModel):
    """A voucher that the till took without a network."""

    model_config = FROZEN

    token: Annotated[Str, StringConstraints(min_length=1)]
    at: AwareDatetime


class OfflineRedemptionsIn(BaseModel):
    """What a till took while it had no network."""

    model_config = FROZEN

    taken: list[TakenIn] = Field(min_length=1, max_length=TOLD_MAX)


class OfflineOutcomeOut(BaseModel):
    """What came of one of them."""

    model_config = FROZEN

    outcome: str = Field(
        description="`redeemed`, `before`, or the code of a refusal.", examples=["redeemed"]
    )
    redemption: RedemptionOut | None


class OfflineRedemptionsOut(BaseModel):
    """What came of each, in the order of the request."""

    model_config = FROZEN

    data: Sequence[OfflineOutcomeOut]


class ReversalOut(BaseModel):
    """A reversal (冲正), or the first person's word for one."""

    model_config = FROZEN

    redemption: RedemptionId
    state: Literal["reversed", "asked"] = Field(
        description="Asked: a second person of the merchant has to confirm within the 15 minutes."
    )
    id: str | None = Field(examples=["rev_01k0000000000000000000000f"])
    reversed_at: datetime | None
    points: int = Field(description="What goes back to the citizen.", examples=[300])
