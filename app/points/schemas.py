"""The wire forms of points (积分的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.kernel.http import Day, Int, Str, Written
from app.kernel.quantities import ReductionOut
from app.points.errors import ClassTwice, ThresholdsCrossed
from methodologies import Field as LifeField

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
CLASSES_MAX: Final = 200
MG_MAX: Final = 2**53 - 1
FEN_MAX: Final = 10**13
"""A hundred thousand million yuan: beyond any budget, within every sum."""

ProgrammeCode = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$", examples=["green"], description="积分计划编号")
]
ClassId = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        examples=["9f" * 32],
        description="The class's published key, as entries and receipts carry it. 资产类别",
    ),
]
Name = Annotated[Written, StringConstraints(max_length=200)]
Reason = Written
SimulationId = Annotated[
    Str | None,
    Field(
        max_length=40,
        examples=["sim_01k0000000000000000000000a"],
        description="A finished simulation of these terms: what is signed names it and its digest.",
    ),
]
Permille = Annotated[Int, Field(ge=0, le=100_000)]
MethodologyCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$", examples=["BJ-TABLEWARE"])]


class WantedIn(BaseModel):
    """A class to exchange, and how much of it."""

    model_config = FROZEN

    class_id: ClassId
    co2e_mg: Int | None = Field(
        default=None,
        ge=1,
        le=MG_MAX,
        description="Whole points' worth of it is taken; all that is held where it is left out.",
    )


class ExchangeIn(BaseModel):
    """What to exchange: everything, or the classes that are named."""

    model_config = FROZEN

    programme: ProgrammeCode | None = Field(
        default=None, description="The first that the city opened, where it is left out."
    )
    classes: list[WantedIn] | None = Field(default=None, min_length=1, max_length=CLASSES_MAX)

    @model_validator(mode="after")
    def _each_class_once(self) -> Self:
        named = [each.class_id for each in self.classes or ()]
        if len(set(named)) < len(named):
            raise ClassTwice
        return self


class ClassOut(BaseModel):
    """A class of reductions (减排量类别, R4)."""

    model_config = FROZEN

    class_id: ClassId
    methodology: str = Field(examples=["SZ-METRO"])
    version: int = Field(examples=[1])
    scenario: str = Field(examples=["sz-metro"])
    grade: Literal["A", "B"]
    vintage: str = Field(description="Month of the acts, YYYY-MM.", examples=["2026-11"])


class ClassQuoteOut(BaseModel):
    """What a class that is held would bring now."""

    model_config = FROZEN

    of: ClassOut
    held: ReductionOut
    mg_per_point: int | None = Field(
        description="Null where the programme has no rate for it.", examples=[10_000]
    )
    points: int = Field(examples=[48])
    exchanged: ReductionOut
    remaining: ReductionOut = Field(description="Less than a point's worth: it stays held.")


class QuoteOut(BaseModel):
    """What an exchange would do now (兑换试算); nothing is promised by it."""

    model_config = FROZEN

    programme: ProgrammeCode
    classes: Sequence[ClassQuoteOut]
    points: int = Field(examples=[48])
    expires: date = Field(description="The last day of these points.")
    owed_points: int = Field(description="Paid first, out of the new points.", examples=[0])
    state: Literal["open", "paused", "exhausted"] = Field(
        description="Paused while funds are low; exhausted when they do not cover these points."
    )


class ClassExchangedOut(BaseModel):
    """What an exchange took of one class."""

    model_config = FROZEN

    of: ClassOut
    reduction: ReductionOut
    mg_per_point: int = Field(examples=[10_000])
    points: int = Field(examples=[48])


class ExchangeOut(BaseModel):
    """Reductions that became points (兑积分)."""

    model_config = FROZEN

    id: str = Field(examples=["exc_01k0000000000000000000000a"])
    programme: ProgrammeCode
    at: datetime
    night: date | None = Field(description="Of an automatic exchange; null: by hand.")
    reduction: ReductionOut
    points: int = Field(examples=[48])
    expires: date
    classes: Sequence[ClassExchangedOut]


class ExchangedOut(ExchangeOut):
    """An exchange just made."""

    paid_debt_points: int = Field(
        description="Of its points, what paid for a correction that had left points owing.",
        examples=[0],
    )


class ExchangePage(BaseModel):
    """Some exchanges, the newest first."""

    model_config = FROZEN

    data: Sequence[ExchangeOut]
    next_cursor: str | None


FromMg = Annotated[
    Int,
    Field(
        ge=0,
        le=10**12,
        description="A tier: for whoever exchanged at least so much, of every class, in the month"
        " before; 0 is for everybody [mg]. 档位",
    ),
]


class RateIn(BaseModel):
    """How many milligrams a point takes, from a day on."""

    model_config = FROZEN

    grade: Literal["A", "B"]
    field: LifeField | None = Field(
        default=None, description="Any field that has no rate of its own, where it is left out."
    )
    mg_per_point: Int = Field(ge=1, le=1_000_000_000, examples=[10_000])
    from_mg: FromMg = 0
    valid_from: Day
    reason: Reason = Field(examples=["The sponsor's letter of June"])
    simulation: SimulationId = None


class RateOut(BaseModel):
    """A rate: what a point takes, from one day until before another."""

    model_config = FROZEN

    grade: Literal["A", "B"]
    field: str | None
    mg_per_point: int
    from_mg: int = Field(description="Of the month before, at least; 0 is for everybody [mg].")
    valid_from: date
    valid_to: date | None


class RewardTerms(BaseModel):
    """What an act of grade C earns, from a day of acts on."""

    model_config = FROZEN

    methodology: MethodologyCode
    points: int = Field(ge=1, le=100_000, examples=[5])
    person_day_points: int | None = Field(default=None, ge=0, le=1_000_000, examples=[10])
    budget_day_points: int | None = Field(default=None, ge=0, le=10**12)
    valid_from: date


class RewardIn(RewardTerms):
    """A reward to be signed for, and why."""

    reason: Reason = Field(examples=["The sponsor's letter of June"])
    simulation: SimulationId = None


class RewardOut(RewardTerms):
    """A reward, from one day of acts until before another."""

    valid_to: date | None


class ProgrammeIn(BaseModel):
    """A programme to open; its funds come later, with a second signature."""

    model_config = FROZEN

    code: ProgrammeCode
    name_zh: Name = Field(examples=["绿色积分"])
    name_en: Name = Field(examples=["Green points"])
    note: Annotated[Str, StringConstraints(max_length=500)] = ""
    fen_per_point: Int = Field(
        ge=0, le=10_000, description="For ever; 0 for points that claim no money.", examples=[1]
    )
    expiry_years: Int = Field(default=1, ge=0, le=10, examples=[1])
    pause_below_permille: Permille = 1050
    refuse_below_permille: Permille = 1000

    @model_validator(mode="after")
    def _refuses_after_it_pauses(self) -> Self:
        if self.refuse_below_permille > self.pause_below_permille:
            raise ThresholdsCrossed
        return self


class FundingIn(BaseModel):
    """Money from the bank, and why."""

    model_config = FROZEN

    fen: Int = Field(ge=1, le=FEN_MAX, examples=[10_000_000])
    sponsor: Name | None = Field(
        default=None,
        examples=["City Bank"],
        description="Told publicly; left out by a sponsor that wishes not to be named. 出资方",
    )
    reason: Reason = Field(examples=["Sponsor's transfer of June"])


class OutstandingOut(BaseModel):
    """Points that nobody spent yet, of one last day."""

    model_config = FROZEN

    expires: date
    points: int
    fen: int
    counted_at: datetime


class SponsorOut(BaseModel):
    """Who paid in, and what became of it: the oldest money goes first (出资方)."""

    model_config = FROZEN

    name: str | None = Field(description="Null: all who wish not to be named.")
    funded_fen: int
    settled_fen: int = Field(description="Paid to merchants for points that were spent.")
    promised_fen: int = Field(description="What points may claim of it.")


class ProgrammeOut(BaseModel):
    """A programme as anybody may see it (积分计划)."""

    model_config = FROZEN

    code: ProgrammeCode
    name_zh: str
    name_en: str
    note: str
    opened_at: datetime
    fen_per_point: int
    currency: Literal["CNY"] = "CNY"
    funds_fen: int = Field(description="What the budget holds.")
    promised_fen: int = Field(description="Of it, what points may claim.")
    unpromised_fen: int
    solvency_permille: int | None = Field(
        description="Funds for every 1,000 fen of promises; null while nothing is promised.",
        examples=[1250],
    )
    pause_below_permille: int
    refuse_below_permille: int
    exchange: Literal["open", "automatic_paused", "paused"]
    rates: Sequence[RateOut]
    rewards: Sequence[RewardOut]
    outstanding: Sequence[OutstandingOut]
    sponsors: Sequence[SponsorOut] = Field(description="The first to pay first.")


class ProgrammePage(BaseModel):
    """Some programmes, in the order in which they were opened."""

    model_config = FROZEN

    data: Sequence[ProgrammeOut]
    next_cursor: str | None
