"""The wire forms of lots (批次池的对外形式); no person is in any of them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, Str, Written
from app.kernel.quantities import ReductionOut, mass
from app.registry.lots import Lot, LotOutcome, LotStep
from app.registry.rules import ErrorRate
from app.registry.sampling import Party
from app.registry.verification import Decision, SampledRow, Verdict, report_name
from ledger.assets import Reduction, asset_key

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Hex32 = Annotated[Str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[Written, StringConstraints(max_length=2000)]
LotId = Annotated[str, Field(examples=["lot_01k0000000000000000000000a"], description="批次池编号")]


class ClassOut(BaseModel):
    """A class of reductions (R4)."""

    model_config = FROZEN

    key: str = Field(description="Its asset key, as entries of the log carry it.")
    methodology: str = Field(examples=["SZ-METRO"])
    version: int
    scenario: str
    grade: Literal["A", "B"]
    vintage: str = Field(examples=["2026-01"])


class LotIn(BaseModel):
    """A class of which a lot shall be frozen."""

    model_config = FROZEN

    class_key: Hex32 = Field(description="The asset key of a grade A class. 类别键")


class TermsIn(BaseModel):
    """Terms of issuance to be set."""

    model_config = FROZEN

    buffer_permille: Annotated[Int, Field(ge=0, le=1000)] = Field(
        examples=[50], description="What the buffer keeps of a batch, in thousandths. 缓冲比例"
    )
    sample_rows: Annotated[Int, Field(ge=1, le=100_000)] = Field(
        examples=[100], description="How many acts of a lot are looked at. 抽样数量"
    )
    reason: Reason


class TermsOut(BaseModel):
    """The terms of issuance that hold (签发条款)."""

    model_config = FROZEN

    buffer_permille: int
    sample_rows: int
    set_at: datetime


class CommitmentIn(BaseModel):
    """A commitment to a nonce."""

    model_config = FROZEN

    commitment: Hex32 = Field(
        description='SHA-256 of tag("sample-nonce"), the lot, SHA-256 of the party, the nonce. 承诺'
    )


class RevealIn(BaseModel):
    """A nonce that was committed to."""

    model_config = FROZEN

    nonce: Hex32 = Field(description="32 random bytes, in hex. 随机数")


class RecordIn(BaseModel):
    """What the provider produced for an act: enough to open its commitment (原始记录)."""

    model_config = FROZEN

    external_id: Annotated[Str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The provider's own id of the act; of a project its report's. 提供方编号"
    )
    sha256: Hex32 = Field(description="Of the raw record. 原始记录摘要")


class _FindingIn(BaseModel):
    model_config = FROZEN

    draw: Annotated[Int, Field(ge=1, le=100_000)]
    record: RecordIn | None = None
    statement: Annotated[Str, StringConstraints(max_length=2000)] = ""


class ConfirmedIn(_FindingIn):
    """A row that is as it was told."""

    verdict: Literal[Verdict.CONFIRMED]


class OverstatedIn(_FindingIn):
    """A row whose act is worth less than it was told to be."""

    verdict: Literal[Verdict.OVERSTATED]
    overstated_mg: Annotated[Int, Field(ge=1, le=10**15)] = Field(description="By how much. 高估量")


class VoidIn(_FindingIn):
    """A row that is of no act, of somebody else's, or without a record."""

    verdict: Literal[Verdict.VOID]


FindingIn = Annotated[ConfirmedIn | OverstatedIn | VoidIn, Field(discriminator="verdict")]


class FindingsIn(BaseModel):
    """What was found of some rows."""

    model_config = FROZEN

    findings: Annotated[Sequence[FindingIn], Field(min_length=1, max_length=500)]


class DecisionIn(BaseModel):
    """A decision on a lot."""

    model_config = FROZEN

    is_confirmed: bool
    statement: Annotated[Written, StringConstraints(max_length=4000)]


class IssuanceIn(BaseModel):
    """Why a lot shall be issued."""

    model_config = FROZEN

    reason: Reason


class ErrorRateOut(BaseModel):
    """How much of the sample was wrong, and Wilson's interval of 95 % for the lot (差错率)."""

    model_config = FROZEN

    wrong: int
    looked_at: int
    rate: str = Field(examples=["0.010000"])
    low: str
    high: str


class DecisionOut(BaseModel):
    """What the verifier decided (核证决定)."""

    model_config = FROZEN

    is_confirmed: bool
    statement: str
    decided_by: str
    decided_at: datetime


class SeedPartOut(BaseModel):
    """A party's part of the seed."""

    model_config = FROZEN

    party: Party
    commitment: str | None
    committed_at: datetime | None
    nonce: str | None = Field(description="Null until it is revealed.")
    is_withheld: bool = Field(description="Never revealed: it counted as 32 zero bytes. 扣留")


class SeedOut(BaseModel):
    """What the sample was, or will be, drawn by (抽样种子)."""

    model_config = FROZEN

    commit_until: datetime | None
    epoch: int | None = Field(description="The first that closed after both had committed.")
    block_hash: str | None = Field(description="Of the block that anchors it.")
    reveal_until: datetime | None
    parts: Sequence[SeedPartOut]
    seed: str | None
    drawn_at: datetime | None


class LotBriefOut(BaseModel):
    """A lot in a list (批次池)."""

    model_config = FROZEN

    id: LotId
    step: LotStep
    outcome: LotOutcome | None
    closed_for: str | None = Field(description="Why it was closed.")
    reductions: ClassOut
    begun_at: datetime
    frozen_at: datetime | None
    closed_at: datetime | None
    root: str | None = Field(description="RFC 6962 root over its leaves, sorted.")
    acts: int | None
    co2e: ReductionOut | None
    sample_rows: int


class LotOut(LotBriefOut):
    """A lot as anybody may see it (批次池)."""

    report_sha256: str | None
    seed: SeedOut
    earlier_draws: int = Field(
        description="Lots of this class, frozen before it, that ended without units. 此前抽样次数"
    )
    error_rate: ErrorRateOut | None
    decision: DecisionOut | None
    batch: str | None = Field(description="What was issued of it.")


class LotPage(BaseModel):
    """Some lots, the newest first."""

    model_config = FROZEN

    data: Sequence[LotBriefOut]
    next_cursor: str | None


class DrawnOut(BaseModel):
    """A row of a sample, as anybody may see it."""

    model_config = FROZEN

    draw: int
    position: int
    leaf: str
    verdict: Verdict | None
    record_opens: bool | None = Field(
        description="Whether the provider's record opens the act's commitment."
    )


class DrawnPage(BaseModel):
    """Some rows of a sample, in the order of the draw."""

    model_config = FROZEN

    data: Sequence[DrawnOut]
    next_cursor: str | None


class SampledOut(BaseModel):
    """A row of a sample, as its verifier sees it: enough to ask the provider for its record."""

    model_config = FROZEN

    draw: int
    leaf: str
    co2e: ReductionOut
    act_co2e: ReductionOut
    occurred_on: date
    provider: str | None
    external_hash: str | None = Field(
        description="The first 16 bytes of the SHA-256 of the provider's own id."
    )
    report: str | None = Field(
        examples=["mrp_01k0000000000000000000000a"],
        description="Of a project: its report, whose readings open the commitment. 监测报告",
    )
    evidence_commit: str
    methodology: str | None
    version: int | None
    mode: str | None
    inputs: dict[str, str] | None
    verdict: Verdict | None
    statement: str | None


class SampleOut(BaseModel):
    """Some rows of a sample for its verifier."""

    model_config = FROZEN

    data: Sequence[SampledOut]
    next_cursor: str | None


def shown_class(its: Reduction) -> ClassOut:
    """Show a class."""
    return ClassOut(
        key=asset_key(its).hex(),
        methodology=its.methodology,
        version=its.version,
        scenario=its.scenario,
        grade=its.grade,
        vintage=f"{its.vintage:%Y-%m}",
    )


def shown_brief(lot: Lot) -> LotBriefOut:
    """Show a lot in a list."""
    return LotBriefOut(
        id=lot.public,
        step=lot.step,
        outcome=lot.outcome,
        closed_for=lot.reason,
        reductions=shown_class(lot.reduction),
        begun_at=lot.begun_at,
        frozen_at=lot.frozen_at,
        closed_at=lot.closed_at,
        root=None if lot.root is None else lot.root.hex(),
        acts=lot.leaves,
        co2e=None if lot.mg is None else mass(lot.mg),
        sample_rows=lot.sample_rows,
    )


def shown_rate(found: ErrorRate | None) -> ErrorRateOut | None:
    """Show an error rate."""
    if found is None:
        return None
    shares = {"rate": found.rate, "low": found.low, "high": found.high}
    told = {name: str(share) for name, share in shares.items()}
    return ErrorRateOut(wrong=found.wrong, looked_at=found.sampled, **told)


def shown_decision(found: Decision | None) -> DecisionOut | None:
    """Show a decision."""
    return None if found is None else DecisionOut(**found._asdict())


def shown_drawn(row: SampledRow) -> DrawnOut:
    """Show a row that was drawn to anybody."""
    return DrawnOut(
        draw=row.draw,
        position=row.position,
        leaf=row.leaf.hex(),
        verdict=row.verdict,
        record_opens=row.opens,
    )


def shown_sampled(row: SampledRow) -> SampledOut:
    """Show a row that was drawn to its verifier."""
    return SampledOut(
        draw=row.draw,
        leaf=row.leaf.hex(),
        co2e=mass(row.mg),
        act_co2e=mass(row.act_mg),
        occurred_on=row.occurred_on,
        provider=row.provider,
        external_hash=None if row.external_hash is None else row.external_hash.hex(),
        report=None if row.report is None else report_name(row.report),
        evidence_commit=row.evidence_commit.hex(),
        methodology=row.methodology,
        version=row.version,
        mode=row.mode,
        inputs=row.inputs,
        verdict=row.verdict,
        statement=row.statement,
    )
