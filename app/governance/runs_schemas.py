"""The wire form of shadow runs and factor corrections (影子运行与系数更正的对外形式)."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.governance.schemas import Revision, Words
from app.kernel.http import Day, Int
from app.kernel.quantities import ReductionOut

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Number = Annotated[Int, Field(ge=1, le=2**31 - 1, examples=[1])]
Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,39}$", examples=["SZ-METRO"])]


class ShadowRunIn(BaseModel):
    """A candidate to be held against live acts of a past period (影子运行申请)."""

    model_config = _FROZEN

    revision: Revision
    against: Number = Field(description="The published version.")
    since: Day
    until: Day = Field(description="At most 400 days in all.")


class DifferenceOut(BaseModel):
    """What acts of a class, month and provider come to under either version (差异)."""

    model_config = _FROZEN

    asset_class: str = Field(examples=["1 B"], description="Version and grade.")
    month: str = Field(examples=["2026-03"])
    provider: str
    acts: int
    forgotten: int = Field(description="Their quantities are gone; not compared.")
    changed: int
    old: ReductionOut
    new: ReductionOut


class LargestOut(BaseModel):
    """One of the largest differences, of nobody in particular."""

    model_config = _FROZEN

    asset_class: str
    month: str
    provider: str
    old: ReductionOut
    new: ReductionOut


class ShadowRunOut(BaseModel):
    """A shadow run with what it came to so far; it posts nothing (影子运行)."""

    model_config = _FROZEN

    id: str = Field(examples=["shr_01k0000000000000000000000a"])
    proposal: str
    revision: int
    against: int
    since: date
    until: date
    asked_by: str
    asked_at: datetime
    state: Literal["running", "done"]
    parts_done: int = Field(description="Of 64.")
    is_cut: bool = Field(description="A part held more acts than a run reads.")
    differences: list[DifferenceOut]
    largest: list[LargestOut]


class ShadowRunList(BaseModel):
    """Runs of a proposal, the newest first."""

    model_config = _FROZEN

    data: list[str]


class FactorCorrectionIn(BaseModel):
    """That another version's factor hold for a past period (系数更正申请)."""

    model_config = _FROZEN

    code: Code
    version: Number
    replacement: Number
    since: Day
    until: Day
    reason: Words


class SignedOut(BaseModel):
    """What the platform signed (签名报告)."""

    model_config = _FROZEN

    statement: str = Field(description="Canonical JSON; these very characters are signed.")
    signature: str = Field(description="Ed25519 over the statement, base64.")
    public_key: str = Field(description="Ed25519 public key, base64; also at `tanpu keys`.")


class FactorCorrectionOut(BaseModel):
    """A correction of a factor, with its signed report once it is carried out (系数更正)."""

    model_config = _FROZEN

    id: str = Field(examples=["fcr_01k0000000000000000000000a"])
    code: str
    version: int
    replacement: int
    since: date
    until: date
    reason: str
    asked_by: str
    signed_by: str
    ordered_at: datetime
    state: Literal["running", "done"]
    parts_done: int = Field(description="Of 64.")
    report: SignedOut | None


class FactorCorrectionList(BaseModel):
    """Corrections, the newest first."""

    model_config = _FROZEN

    data: list[FactorCorrectionOut]


class CorrectedActOut(BaseModel):
    """A line of the list that a report's root is over (更正明细)."""

    model_config = _FROZEN

    activity: str = Field(examples=["act_01k0000000000000000000000a"])
    change_mg: int
    leaf: str = Field(description="H(00 ‖ tag(factor-correction) ‖ id 16 B ‖ change i64), hex.")


class CorrectedActPage(BaseModel):
    """Corrected acts in the order of their ids, which is that of the leaves."""

    model_config = _FROZEN

    data: list[CorrectedActOut]
    next_cursor: str | None
