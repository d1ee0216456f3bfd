"""The wire forms of the market (市场的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Day, Int, Str, Written
from app.market.rules import PurchaseState
from app.registry.passport_schemas import Settable
from app.registry.retirement_schemas import Shown
from app.staff import ApprovalOut
from ledger.certificate import Purpose

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
KG_MAX: Final = 10**10
PRICE_MAX_FEN: Final = 10**8
FEN_MAX: Final = 10**15
ListingId = Annotated[
    Str,
    StringConstraints(max_length=40),
    Field(examples=["lst_01k0000000000000000000000a"]),
]
BatchId = Annotated[
    Str,
    StringConstraints(max_length=40),
    Field(examples=["ibt_01k0000000000000000000000a"], description="Of the units. 签发批次"),
]
QuoteId = Annotated[
    Str,
    StringConstraints(max_length=40),
    Field(examples=["quo_01k0000000000000000000000a"]),
]
Quantity = Annotated[Int, Field(ge=1, le=KG_MAX, examples=[5_000], description="Units, kg. 数量")]
Price = Annotated[
    Int, Field(ge=1, le=PRICE_MAX_FEN, examples=[6_500], description="Fen for a tonne. 每吨价")
]
Reference = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z ./_-]{0,99}$"),
    Field(examples=["20261122-000123"], description="The bank's. 银行流水号"),
]
Currency = Annotated[Literal["CNY"], Field(description="Every fen here is a hundredth of it.")]


class ListingIn(BaseModel):
    """Units to offer."""

    model_config = FROZEN

    batch: BatchId
    quantity_kg: Quantity
    minimum_kg: Quantity = Field(
        default=1_000, description="A purchase takes so much, or all that is left. 起购量"
    )
    price_fen: Price
    opens_at: AwareDatetime | None = Field(default=None, description="Now, if not given.")
    closes_at: AwareDatetime


class DeskListingIn(ListingIn):
    """Units of the operator's to offer, for a second person to sign."""

    reason: Written = Field(examples=["首批签发上市"], description="For who signs. 提请理由")


class ListingOut(BaseModel):
    """Units that somebody offers (挂牌)."""

    model_config = FROZEN

    id: ListingId
    seller: str = Field(examples=["org_01k0000000000000000000000a"])
    seller_zh: str
    seller_en: str
    batch: BatchId
    batch_number: int
    methodology: str
    version: int
    scenario: str
    vintage: str = Field(examples=["2026-10"], description="Month of the acts.")
    quantity_kg: int
    left_kg: int = Field(description="Neither sold nor reserved. 余量")
    minimum_kg: int
    price_fen: int = Field(description="For a tonne.")
    currency: Currency = "CNY"
    opens_at: datetime
    closes_at: datetime
    withdrawn_at: datetime | None


class ListingPage(BaseModel):
    """A page of listings."""

    model_config = FROZEN

    data: list[ListingOut]
    next_cursor: str | None


class QuoteIn(BaseModel):
    """What you would buy."""

    model_config = FROZEN

    listing: ListingId
    quantity_kg: Quantity


class QuoteOut(BaseModel):
    """What it costs (报价): fixed until it expires; nothing is reserved by it."""

    model_config = FROZEN

    id: QuoteId
    listing: ListingId
    quantity_kg: int
    due_fen: int = Field(description="Rounded up to a whole fen, once. 应付")
    currency: Currency = "CNY"
    expires_at: datetime


class RetireIn(BaseModel):
    """Retire at once what is bought, in the buyer's name; nobody is named but by choice."""

    model_config = FROZEN

    purpose: Settable = Field(description="1, 2, 3, 6 or 7. 用途")
    period: Annotated[Str, StringConstraints(min_length=4, max_length=21)] | None = Field(
        default=None, examples=["2026"], description="What time it makes up for. 对应期间"
    )
    beneficiary: Annotated[Written, StringConstraints(max_length=200)] | None = Field(
        default=None, description="If not the buyer itself. 受益方"
    )
    message: Annotated[Written, StringConstraints(max_length=500)] | None = None
    shows: Shown = []


class PurchaseIn(BaseModel):
    """Buy what a quote names."""

    model_config = FROZEN

    quote: QuoteId
    retire: RetireIn | None = Field(default=None, description="None: the units come to you.")


class InstructionsOut(BaseModel):
    """How to pay (付款指引)."""

    model_config = FROZEN

    method: str = Field(examples=["bank-transfer"])
    payee: str | None = Field(description="Null: as the operator tells you. 收款账户")
    reference: str = Field(description="Name it with the payment. 附言")
    due_fen: int
    currency: Currency = "CNY"
    until: datetime


class PurchaseOut(BaseModel):
    """What became of a purchase (购买)."""

    model_config = FROZEN

    id: str = Field(examples=["pur_01k0000000000000000000000a"])
    state: PurchaseState
    listing: ListingId
    seller: str
    buyer: str
    batch: BatchId
    quantity_kg: int
    due_fen: int
    currency: Currency = "CNY"
    bought_at: datetime
    expires_at: datetime = Field(description="Held until then, unless it is paid for.")
    ended_at: datetime | None
    pay: InstructionsOut | None = Field(description="While it is reserved.")
    purpose: Purpose | None = Field(description="None: the units come to the buyer.")
    retirement: str | None = Field(examples=["ret_01k0000000000000000000000a"])
    not_retired: str | None = Field(
        description="Why the paid units lie with the buyer instead: the refusal's code."
    )


class PurchasePage(BaseModel):
    """A page of purchases."""

    model_config = FROZEN

    data: list[PurchaseOut]
    next_cursor: str | None


class PaymentIn(BaseModel):
    """A payment that came; above the limit for a second person to sign."""

    model_config = FROZEN

    reference: Reference
    fen: Int = Field(ge=1, le=FEN_MAX, examples=[32_500])
    received_on: Day = Field(description="The bank's day. 到账日")
    reason: Written = Field(examples=["网银回单已核"], description="For who signs. 提请理由")


class PaymentOut(BaseModel):
    """The purchase, and the request that awaits a second signature, if it does."""

    model_config = FROZEN

    purchase: PurchaseOut
    approval: ApprovalOut | None


class ProceedsPayoutIn(BaseModel):
    """A payment that the bank made to an organisation, for a second person to sign."""

    model_config = FROZEN

    fen: Int = Field(ge=1, le=FEN_MAX, examples=[32_500])
    reference: Reference
    reason: Written = Field(examples=["网银回单已核"], description="For who signs. 提请理由")


class ProceedsOut(BaseModel):
    """What your sales brought you (销售收入)."""

    model_config = FROZEN

    earned_fen: int
    paid_out_fen: int
    payable_fen: int
    currency: Currency = "CNY"


class LoopProgrammeOut(BaseModel):
    """What came to a programme, and what went."""

    model_config = FROZEN

    code: str = Field(examples=["green"])
    name_zh: str
    name_en: str
    sold_mg: int = Field(description="Milligrams of its exchanges that were sold.")
    sale_fen: int = Field(description="What buyers paid for them. 销售收入")
    funded_fen: int = Field(description="All that came in, of sales and of sponsors. 注资")
    outstanding_points: int = Field(description="That nobody spent yet. 未用积分")
    outstanding_fen: int = Field(description="What they claim.")
    settled_fen: int = Field(description="What its budget paid to merchants. 已结算")


class ClosedLoopOut(BaseModel):
    """The closed loop (闭环消纳), summed from rows: buyers, budgets, points, merchants."""

    model_config = FROZEN

    as_of: datetime
    currency: Currency = "CNY"
    purchases: int = Field(description="That were paid for.")
    sold_kg: int
    sale_fen: int = Field(description="All that buyers paid. 销售额")
    to_programmes_fen: int = Field(description="Of it, to the budgets of programmes. 入计划资金")
    to_sellers_fen: int = Field(description="Of it, to those who sold what was theirs.")
    merchants_paid_fen: int = Field(description="Paid out to merchants' banks. 已付商户")
    programmes: Sequence[LoopProgrammeOut]


class TradeRow(BaseModel):
    """A row of the trade statement (交易流水)."""

    model_config = FROZEN

    purchase: str
    side: Literal["bought", "sold"]
    state: PurchaseState
    batch: str
    quantity_kg: int
    due_fen: int
    bought_on: date
    ended_on: date | None
    paid_on: date | None
    earned_fen: int | None
    retirement: str | None
