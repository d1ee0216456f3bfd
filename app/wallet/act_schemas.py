"""One act on the wire (行为详情): with its full working, and where each number comes from."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.citizens import Basis
from app.kernel.quantities import ReductionOut
from app.wallet.rules import AnchorState, HintCode
from app.wallet.schemas import FROZEN, ActId, ActOut
from methodologies import Evidence, Grade, Status


class DocumentOut(BaseModel):
    """The version of the methodology that the act was computed with (方法学版本)."""

    model_config = FROZEN

    code: str
    version: int
    title_zh: str
    title_en: str
    issuer: str
    document: str = Field(description="Title of the official text.")
    effective: date
    proposal: bool = Field(description="A Tanpu reference and no official text.")
    sha256: str
    link: str = Field(examples=["/v1/methodologies/SZ-METRO/1"])


class InputOut(BaseModel):
    """What the provider told, as it is kept (输入)."""

    model_config = FROZEN

    name: str
    value: str
    unit: str
    help_zh: str
    help_en: str


class ParameterOut(BaseModel):
    """A constant of the formula with its source (参数来源)."""

    model_config = FROZEN

    name: str
    value: str | None
    unit: str
    status: Status
    source: str
    url: str
    derived: str = Field(description="How it follows from its source, where not printed there.")


class StepOut(BaseModel):
    """A line of the working (计算步骤)."""

    model_config = FROZEN

    name: str
    expression: str
    value: str
    unit: str


class WorkingOut(BaseModel):
    """The act worked out again, from what is stored (计算过程)."""

    model_config = FROZEN

    steps: list[StepOut]
    ineligible: str | None = Field(description="The engine's reason, where it gives nothing.")
    computed: ReductionOut | None = Field(description="What the engine gives, before the cap.")
    recorded: ReductionOut | None = Field(description="What was recorded, before the cap.")
    agrees: bool | None = Field(
        description="Whether both are one; false is a defect, which `tanpu audit` finds too."
    )


class GradeOut(BaseModel):
    """The grade, fixed when the act was posted, and what keeps it from a better one (分级)."""

    model_config = FROZEN

    grade: Grade | None
    why: list[str] = Field(description="As the city's decisions stand now; empty for A.")
    today: Grade | None = Field(
        description="What the same act would be given today; its own grade never changes."
    )


class CapOut(BaseModel):
    """The day's cap of this class, and what it took from this act (日上限)."""

    model_config = FROZEN

    limit: ReductionOut
    day: ReductionOut = Field(description="All acts of the class on that day, before the cap.")
    cut: ReductionOut
    source: str


class MergeOut(BaseModel):
    """Another record of the same act (同一行为)."""

    model_config = FROZEN

    activity: ActId
    provider: str
    reason: str
    on: date
    this_counts: bool = Field(description="Whether this act is the one that counts.")


class CorrectionOut(BaseModel):
    """A transfer that added to the act or took it back after the first (更正)."""

    model_config = FROZEN

    id: str
    on: date
    change: ReductionOut
    corrects: str | None


class RestatedOut(BaseModel):
    """What somebody said that the act is worth from then on (更正事由)."""

    model_config = FROZEN

    on: date
    reason: str = Field(examples=["provider.restated", "factor.corrected", "appeal.upheld"])
    withdrawn: bool
    change: ReductionOut = Field(description="By how much it changed what the act added.")
    version: int | None = Field(description="The version that it was computed with.")
    inputs: list[InputOut] | None = Field(description="The corrected quantities, where told.")
    working: WorkingOut | None


class HintOut(BaseModel):
    """What would have earned more (如何多得)."""

    model_config = FROZEN

    code: HintCode
    more: ReductionOut | None = Field(description="From the same engine; null where none can say.")
    about: list[str]


class AnchorOut(BaseModel):
    """How far one transfer of the act has come (存证状态)."""

    model_config = FROZEN

    transfer: str
    state: AnchorState
    epoch: int | None
    log_index: int | None
    link: str | None = Field(examples=["/v1/public/epochs/3"])


class ReplayOut(BaseModel):
    """Where a replayed reading really comes from (回放来源, R18)."""

    model_config = FROZEN

    source_occurred_at: datetime | None
    place: str | None
    note_zh: str = "回放数据:时间为演示整体平移,原始时间与来源地如上"
    note_en: str = "Replayed: its time was shifted for a demonstration; origin as stated."


class MonthOut(BaseModel):
    """The month that a daily reading settles with (月结, R10)."""

    model_config = FROZEN

    month: str
    state: Literal["open", "settled"]
    days: int | None
    reduction: ReductionOut | None


class ActDetailOut(ActOut):
    """One act with its full working."""

    evidence: Evidence
    basis: Basis = Field(
        description="How this citizen was enrolled; anything but self marks a demonstration."
    )
    document: DocumentOut | None
    inputs: list[InputOut] | None = Field(description="Null once they were erased.")
    parameters: list[ParameterOut]
    working: WorkingOut | None
    month: MonthOut | None
    grading: GradeOut
    cap: CapOut | None
    merges: list[MergeOut]
    restated: list[RestatedOut]
    corrections: list[CorrectionOut]
    hints: list[HintOut]
    replay: ReplayOut | None
    anchoring: list[AnchorOut] = Field(description="Empty where nothing was posted.")
