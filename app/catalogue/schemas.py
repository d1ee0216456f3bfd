"""The wire form of the library (方法学库的对外形式): documents, decisions, what-if calculations."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from app.kernel.http import Day, Str
from app.kernel.quantities import ReductionOut
from methodologies import Evidence, Grade, Object, Status
from methodologies import Field as LifeField

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
NO_OTHER_NAMES: Final[dict[str, JsonValue]] = {"additionalProperties": False}
"""A pattern of names says nothing of those that do not match it."""
INPUTS_MAX: Final = 32
Name = Annotated[Str, StringConstraints(min_length=1, max_length=40)]
Amount = Annotated[Str, StringConstraints(max_length=60)]
State = Literal["in_force", "not_yet", "superseded", "ended", "withdrawn"]


class BothOut(BaseModel):
    """The same words in Chinese and English."""

    model_config = _FROZEN

    zh: str
    en: str


class ParameterOut(BaseModel):
    """A number of the formula with its unit, status and source (参数)."""

    model_config = _FROZEN

    name: str = Field(examples=["saving", "factor.paper"])
    value: str | None = Field(examples=["46.8"], description="Absent where it is missing.")
    unit: str = Field(examples=["g/pkm"])
    status: Status
    source: str = Field(examples=["SZ1"])


class InputOut(BaseModel):
    """What an act must tell (输入)."""

    model_config = _FROZEN

    name: str = Field(examples=["distance"])
    unit: str = Field(examples=["km"], description="Empty for a choice.")
    options: list[str] = Field(examples=[[]])
    minimum: str | None = Field(examples=["0"])
    maximum: str | None = Field(examples=["150"])
    default: str | None


class RuleOut(BaseModel):
    """A condition, and the reason given where it does not hold (适用条件)."""

    model_config = _FROZEN

    require: str = Field(examples=["distance >= 0.5 * km"])
    reason: str = Field(examples=["trip.too_short"])


class StepOut(BaseModel):
    """One line of the working (计算步骤)."""

    model_config = _FROZEN

    name: str = Field(examples=["reduction"])
    expression: str = Field(examples=["distance * passenger * saving"])
    value: str | None = Field(default=None, examples=["482040"])
    unit: str | None = Field(default=None, examples=["mg"])


class SourceOut(BaseModel):
    """Where numbers were read (来源)."""

    model_config = _FROZEN

    id: str
    text: str
    url: str


class SignatureOut(BaseModel):
    """A reviewer's word that the quotations are right; public (复核签字)."""

    model_config = _FROZEN

    reviewer: str = Field(examples=["clk_01k0000000000000000000000a"])
    name: str = Field(examples=["李明 (环境科学研究院)"])
    signed_on: date
    withdrawn_on: date | None
    holds: bool = Field(description="Today, and of this very text.")
    note: str


class ApprovalOut(BaseModel):
    """An approval of the scenario, both days included (场景批准)."""

    model_config = _FROZEN

    scenario: str = Field(examples=["sz-metro"])
    valid_from: date
    valid_until: date
    letter: str


class ChainOut(BaseModel):
    """What the registry on the chain has of a version (上链状态): in a final block."""

    model_config = _FROZEN

    state: Literal["anchored", "pending", "awaiting_chain_admin"] = Field(
        description="Of the digest."
    )
    key: str = Field(description="The version's key in the registry and in log entries, hex.")
    registry: str | None
    seen_at: datetime | None
    standing: Literal["in_force", "superseded", "withdrawn"] | None = Field(
        description="As the registry has it; absent before the digest is there."
    )
    awaited: Literal["superseded", "withdrawn"] | None = Field(
        description="What it should say by today and does not say, or not finally, yet."
    )


class MethodologyRow(BaseModel):
    """One version in the list (方法学版本)."""

    model_config = _FROZEN

    code: str = Field(examples=["SZ-METRO"])
    version: int = Field(examples=[1])
    title: BothOut
    object: Object
    field: LifeField
    scenario: str
    effective: date
    until: date | None
    state: State
    grade: Grade | None = Field(description="Today, by the rule; absent where it refuses to run.")
    why: list[str] = Field(
        examples=[["sign_off.two_reviewers_needed"]],
        description="What keeps the grade from being better.",
    )
    sha256: str


class MethodologyPage(BaseModel):
    """Versions by code, then version."""

    model_config = _FROZEN

    data: list[MethodologyRow]
    next_cursor: str | None


class MethodologyOut(MethodologyRow):
    """One version as it runs, with what was decided about it (方法学)."""

    issuer: str
    document: str
    region: str
    is_proposal: bool = Field(description="A reference of ours, not an official text.")
    settlement: str = Field(examples=["act"])
    last_day: date | None = Field(description="Of a withdrawn version.")
    withdrawal: str | None = Field(
        description="Version, last day and reasons of a withdrawal; the chain has its SHA-256.",
        examples=["SZ-METRO 1\n2026-12-31\nThe factor was restated.\n"],
    )
    inputs: list[InputOut]
    parameters: list[ParameterOut]
    missing_parameters: list[str]
    eligibility: list[RuleOut]
    formula: list[StepOut]
    cap_person_day: ReductionOut | None
    evidence: list[Evidence]
    sources: list[SourceOut]
    notes: list[BothOut]
    sign_offs: list[SignatureOut]
    approvals: list[ApprovalOut]
    chain: ChainOut


class CalculationIn(BaseModel):
    """What somebody would like to know the reduction of (测算)."""

    model_config = _FROZEN

    inputs: dict[Name, Amount] = Field(
        max_length=INPUTS_MAX,
        examples=[{"distance": "10.3 km"}],
        json_schema_extra=NO_OTHER_NAMES,
    )
    evidence: Evidence = Evidence.PROVIDER_MEASURED
    occurred_on: Day | None = Field(default=None, description="Today where left out.")


class CalculationOut(BaseModel):
    """What an act would be worth, with its working; nothing is recorded (测算结果)."""

    model_config = _FROZEN

    code: str
    version: int
    is_eligible: bool
    reason: str = Field(examples=["", "trip.too_short"])
    about: str = Field(description="The input to blame, where one is.")
    grade: Grade | None
    reduction: ReductionOut = Field(description="Before the day's cap.")
    counted: ReductionOut = Field(description="What counts if it is the day's only act.")
    working: list[StepOut]
    parameters: list[ParameterOut]
