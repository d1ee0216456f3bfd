"""The wire form of governance (方法学治理的对外形式): proposals, reviews, requests, renewals."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Day, Int, Str, Written
from app.staff.voting import Vote
from methodologies import Grade

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
DOCUMENT_MAX: Final = 200_000
"""Characters of a text that is looked at; the parser takes 64 KiB, and says so [characters]."""


DocumentText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=DOCUMENT_MAX, pattern=r"^[^\x00]*$"),
    Field(examples=['code = "SZ-METRO"\nversion = 2\n'], description="TOML. 方法学文件"),
]
Words = Annotated[
    Written,
    Field(examples=["Factors of 2026"]),
]
Remark = Annotated[Str, Field(examples=[""])]
Revision = Annotated[Int, Field(ge=1, le=10_000, examples=[1])]
Scenario = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["sz-metro"])]
Letter = Annotated[Written, StringConstraints(max_length=200)]


class ProposalIn(BaseModel):
    """A document, laid before the experts (提案)."""

    model_config = _FROZEN

    document: DocumentText
    summary: Words


class RevisionIn(BaseModel):
    """Another text in the place of the newest (修订)."""

    model_config = _FROZEN

    document: DocumentText
    note: Remark = ""


class ReviewIn(BaseModel):
    """What an expert says of a revision (评审)."""

    model_config = _FROZEN

    revision: Revision
    vote: Vote
    comment: Words


class PublicationIn(BaseModel):
    """A request to publish a revision (发布申请)."""

    model_config = _FROZEN

    revision: Revision
    reason: Words


class WithdrawalIn(BaseModel):
    """A request to withdraw a version (撤回申请)."""

    model_config = _FROZEN

    last_day: Day = Field(description="The last day whose acts accrue.")
    reason: Words


class SignatureIn(BaseModel):
    """An expert's word that the quotations of a version are right (签字)."""

    model_config = _FROZEN

    note: Annotated[Remark, StringConstraints(max_length=500)] = ""


class ScenarioApprovalIn(BaseModel):
    """A request to approve a scenario for some days, both included (场景批准申请)."""

    model_config = _FROZEN

    scenario: Scenario
    valid_from: Day
    valid_until: Day
    letter: Letter = Field(examples=["沪环气〔2026〕12号"])
    reason: Words


class EndingIn(BaseModel):
    """A request to end an approval sooner (终止批准申请)."""

    model_config = _FROZEN

    scenario: Scenario
    valid_from: Day = Field(description="Of the approval that is to end.")
    last_day: Day
    reason: Words


class FaultOut(BaseModel):
    """One thing wrong, and where (问题)."""

    model_config = _FROZEN

    line: int
    path: str = Field(examples=["parameters.saving.unit"])
    code: str = Field(examples=["unit.unknown"])
    message: str


class ChangedOut(BaseModel):
    """A number that differs from the version before (变动的参数)."""

    model_config = _FROZEN

    name: str = Field(examples=["saving"])
    old: str | None = Field(examples=["46.8 g/pkm"])
    new: str | None = Field(examples=["45.2 g/pkm"])


class ReportOut(BaseModel):
    """What a machine says of a document, as of now (自动检查报告)."""

    model_config = _FROZEN

    loads: bool
    code: str | None
    version: int | None
    effective: date | None
    sha256: str | None
    faults: list[FaultOut]
    warnings: list[FaultOut]
    missing_parameters: list[str]
    examples: int = Field(description="Worked examples that were run; a wrong one is a fault.")
    grade: Grade | None = Field(description="While nobody signed and nothing is approved.")
    reachable_grade: Grade | None = Field(description="Once two signed and it is approved.")
    why: list[str] = Field(description="What keeps it from a better grade even then.")
    previous: int | None = Field(description="The newest published version of its code.")
    changed: list[ChangedOut]
    diff: list[str] = Field(description="Unified, against that version; the first 400 lines.")


class ReviewOut(BaseModel):
    """What an expert said (评审意见)."""

    model_config = _FROZEN

    revision: int
    reviewer: str = Field(examples=["clk_01k0000000000000000000000a"])
    vote: Vote
    comment: str
    reviewed_at: datetime


class ProposalRow(BaseModel):
    """A proposal in the list (提案)."""

    model_config = _FROZEN

    id: str = Field(examples=["mpr_01k0000000000000000000000a"])
    proposed_by: str
    proposed_at: datetime
    summary: str
    revision: int
    revised_at: datetime
    state: Literal["in_review", "published"]
    published_as: str | None = Field(examples=["SZ-METRO 2"])


class ProposalPage(BaseModel):
    """Proposals, the newest first."""

    model_config = _FROZEN

    data: list[ProposalRow]
    next_cursor: str | None


class ProposalOut(ProposalRow):
    """A proposal with its newest text, its report, and all that was said of it."""

    document: str
    note: str
    report: ReportOut
    reviews: list[ReviewOut]
    lacking: list[str] = Field(
        description="What it lacks to be published.", examples=[["approvals: 1 of 2"]]
    )


class RenewalOut(BaseModel):
    """A scenario whose approval ends soon, or has ended (待续期)."""

    model_config = _FROZEN

    scenario: str
    valid_from: date
    valid_until: date
    days_left: int = Field(description="Days on which acts still accrue; 0 or less: none.")
    methodologies: list[str]


class RenewalList(BaseModel):
    """What is due for renewal, the most urgent first."""

    model_config = _FROZEN

    data: list[RenewalOut]
