"""The wire forms of settlements and disputes (结算单与争议的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, Written
from app.settlements.rules import LineKind, SettlementState

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
PLACES_MAX: Final = 200
FEN_MAX: Final = 10**11
SettlementId = Annotated[str, Field(examples=["set_01k0000000000000000000000a"])]
Currency = Annotated[Literal["CNY"], Field(description="Every fen here is a hundredth of it.")]


class SettlementOut(BaseModel):
    """What a merchant is owed for a day, and what became of it (结算单)."""

    model_config = FROZEN

    id: SettlementId
    merchant: str = Field(examples=["mer_01k0000000000000000000000a"])
    day: date = Field(description="In Asia/Shanghai. 结算日")
    state: SettlementState = Field(
        description="open, disputed, resolved: within the window; final: stands; paid. 状态"
    )
    closed_at: datetime
    disputable_until: datetime = Field(description="Seven days after it was closed. 争议截止")
    final_at: datetime | None
    paid_at: datetime | None
    bank_reference: str | None = Field(examples=["20261122-000123"])
    lines: int = Field(examples=[12])
    gross_fen: int = Field(examples=[15_540], description="Claims, before the fee.")
    fee_fen: int = Field(examples=[93], description="Kept by the programmes, rounded down.")
    net_fen: int = Field(examples=[15_447], description="What is paid.")
    currency: Currency = "CNY"


class SettlementPage(BaseModel):
    """A page of statements."""

    model_config = FROZEN

    data: list[SettlementOut]
    next_cursor: str | None


class LineOut(BaseModel):
    """A claim on one programme (结算明细): these fields, as they are, are hashed into the root."""

    model_config = FROZEN

    place: int = Field(examples=[0])
    kind: LineKind
    id: str = Field(
        examples=["rdm_01k0000000000000000000000c"],
        description="The redemption, the dispute, or the statement that carried it forward.",
    )
    voucher: str | None = Field(examples=["vch_01k0000000000000000000000c"])
    offer: str | None = Field(examples=["off_01k0000000000000000000000b"])
    programme: str = Field(examples=["green"])
    at: str = Field(examples=["2026-11-22T20:15:00.000000+08:00"])
    points: int = Field(examples=[300])
    fen: int = Field(examples=[300], description="Before the fee; negative: taken back.")


class AdjustmentOut(BaseModel):
    """A line of the next statement (调整)."""

    model_config = FROZEN

    programme: str = Field(examples=["green"])
    fen: int = Field(examples=[300], description="Before the fee; negative: taken back.")


class DisputeOut(BaseModel):
    """What a merchant contests, and the answer (争议)."""

    model_config = FROZEN

    id: str = Field(examples=["dsp_01k0000000000000000000000e"])
    settlement: SettlementId
    merchant: str = Field(examples=["mer_01k0000000000000000000000a"])
    places: Sequence[int]
    reason: str
    opened_by: str = Field(examples=["mus_01k0000000000000000000000f"])
    opened_at: datetime
    answered_at: datetime | None
    answer: str | None
    adjustments: list[AdjustmentOut]


class DisputePage(BaseModel):
    """A page of disputes."""

    model_config = FROZEN

    data: list[DisputeOut]
    next_cursor: str | None


class SignedOut(BaseModel):
    """What was signed, and under it the signature of the operator's receipt key."""

    model_config = FROZEN

    statement: str = Field(description="The signed text: its root, sums and fee. 签名文本")
    signature: str = Field(description="Ed25519 of the text, base64. 签名")
    public_key: str = Field(description="Compare it with the one you were given. 公钥, base64")


class SettlementDocument(SignedOut):
    """A whole statement: what `tanpu verify settlement` checks."""

    settlement: SettlementOut
    lines: list[LineOut]
    disputes: list[DisputeOut]


class ProofOut(BaseModel):
    """A line, and the way from it to the root (RFC 6962)."""

    model_config = FROZEN

    line: LineOut
    path: list[str] = Field(description="The deepest hash first, hex.")


class ProofsOut(SignedOut):
    """Every line of one redemption with its proof: one a programme, and its reversal's."""

    proofs: list[ProofOut]


class DisputeIn(BaseModel):
    """What you contest."""

    model_config = FROZEN

    places: list[Annotated[Int, Field(ge=0, lt=2**31)]] = Field(
        max_length=PLACES_MAX,
        examples=[[0, 3]],
        description="Of the lines; none where a redemption is missing. 行号",
    )
    reason: Written = Field(examples=["第三行金额与小票不符"])


class AdjustmentIn(BaseModel):
    """What the answer grants or takes back of one programme."""

    model_config = FROZEN

    programme: Annotated[
        str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$"), Field(examples=["green"])
    ]
    fen: Int = Field(ge=-FEN_MAX, le=FEN_MAX, examples=[300], description="Before the fee; not 0.")


class DisputeAnswerIn(BaseModel):
    """The answer to a dispute, for a second person to sign."""

    model_config = FROZEN

    answer: Written = Field(examples=["核对属实，补记三元"])
    adjustments: list[AdjustmentIn] = Field(default=[], max_length=20)
    reason: Written = Field(examples=["小票已核"], description="For who signs. 提请理由")


class PayoutIn(BaseModel):
    """A payment that the bank made, for a second person to sign."""

    model_config = FROZEN

    reference: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z ./_-]{0,99}$"),
        Field(examples=["20261122-000123"], description="The bank's. 银行流水号"),
    ]
    reason: Written = Field(examples=["网银回单已核"], description="For who signs. 提请理由")


def line_out(told: dict[str, Any]) -> LineOut:
    """Give a line as it is hashed."""
    return LineOut.model_validate(told)
