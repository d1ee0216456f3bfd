"""The wire forms of projects and monitoring reports (减排项目的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from app.firms.schemas import Line
from app.kernel.http import Day, Int, Written
from app.kernel.quantities import ReductionOut
from app.projects.applying import MeterWish, Wish
from app.projects.design import MeterKind, Words
from app.projects.monitoring import NewReport, Paper
from app.projects.registry import OwnerKind, ProjectState
from app.projects.rules import Reading
from app.staff.schemas import Reason
from app.staff.voting import Vote

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
METERS_MAX: Final = 20
READINGS_MAX: Final = 4_000
PAPERS_MAX: Final = 50
INPUTS_MAX: Final = 20
TEXT_MAX: Final = 100_000
DesignText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TEXT_MAX, pattern=r"^[^\x00]*$"),
    Field(examples=["屋顶光伏,自发自用。"], description="Plain text or Markdown. 项目设计文件"),
]
Label = Annotated[Line, StringConstraints(max_length=80)]
Number = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z\u4e00-\u9fff._-]{1,64}$",
        examples=["310115-00021"],
        description="Hashed at once, and not kept. 表号或车牌",
    ),
]
ProviderCode = Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,39})?$", examples=["sh-grid"])]
InputName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
NO_OTHERS: Final[JsonDict] = {"additionalProperties": False}
"""Of names that are no input's: a pattern of keys says nothing of the others."""
Amount = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$"),
    Field(examples=["28.5"], description="In the input's own unit."),
]
Quantity = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["9f" * 32])]


class MeterIn(BaseModel):
    """What measures, as its owner names it (计量点)."""

    model_config = _FROZEN

    kind: MeterKind = "meter"
    label: Label = Field(examples=["并网点 1"])
    provider: ProviderCode = Field(
        default="", description="Who else may tell this meter's readings as somebody's acts."
    )
    number: Number


class DeclarationsIn(BaseModel):
    """Where else this might be counted; each has to be no (声明)."""

    model_config = _FROZEN

    ets_site: bool = Field(
        examples=[False], description="The site is in an ETS entity's boundary. 属碳市场纳管单位"
    )
    green_certificate: bool = Field(
        examples=[False], description="The output has or may get one. 绿证"
    )
    other_mechanism: bool = Field(
        examples=[False], description="Registered in another mechanism. 其他减排机制"
    )


class DesignIn(BaseModel):
    """A project's design: boundary, crediting period, declarations (项目设计文件)."""

    model_config = _FROZEN

    code: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,39}$", examples=["SHCER-PV"])
    version: Annotated[Int, Field(ge=1, le=10_000, examples=[1])]
    title_zh: Line = Field(examples=["某某小学屋顶光伏"])
    title_en: Line = Field(examples=["Rooftop solar of some school"])
    text: DesignText
    site: Line = Field(examples=["上海市浦东新区某某路1号"])
    started_on: Day = Field(description="First day in operation; ages count from it.")
    crediting_since: Day
    crediting_until: Day = Field(description="The last day that may count.")
    quantities: dict[InputName, Quantity] = Field(
        json_schema_extra=NO_OTHERS,
        default_factory=dict,
        max_length=INPUTS_MAX,
        examples=[{"capacity": "6 kW"}],
        description="Inputs of the methodology that are the same every day.",
    )
    declarations: DeclarationsIn
    meters: list[MeterIn] = Field(min_length=1, max_length=METERS_MAX)


class DesignRevisionIn(BaseModel):
    """Another design in the place of the newest (修订)."""

    model_config = _FROZEN

    design: DesignIn
    note: Written = Field(examples=["Site as the reviewer asked"])


class ProjectReviewIn(BaseModel):
    """What an expert or verifier finds of a design (评审)."""

    model_config = _FROZEN

    revision: Annotated[Int, Field(ge=1, le=10_000, examples=[1])]
    vote: Vote
    comment: Written


class RegistrationIn(BaseModel):
    """Which design shall be registered."""

    model_config = _FROZEN

    revision: Annotated[Int, Field(ge=1, le=10_000, examples=[1])]
    reason: Reason


class ExclusionIn(BaseModel):
    """Which days shall not count, of the project or of one of its meters (排除)."""

    model_config = _FROZEN

    first: Day
    last: Day
    meter: Annotated[Int, Field(ge=0, lt=METERS_MAX)] | None = Field(
        default=None, description="Its place in the design; none for all of them."
    )
    reason: Reason


class ReadingIn(BaseModel):
    """What one meter told of one day (监测读数)."""

    model_config = _FROZEN

    day: Day
    meter: Annotated[Int, Field(ge=0, lt=METERS_MAX)] = 0
    inputs: dict[InputName, Amount] = Field(
        json_schema_extra=NO_OTHERS,
        min_length=1,
        max_length=INPUTS_MAX,
        examples=[{"generation": "28.5"}],
    )


class PaperIn(BaseModel):
    """What proves the readings: a file that its owner keeps and shows the verifier."""

    model_config = _FROZEN

    name: Label = Field(examples=["invoice-2026-01.pdf"])
    sha256: Digest


class ReportIn(BaseModel):
    """A period's readings (监测报告)."""

    model_config = _FROZEN

    first: Day
    last: Day
    readings: list[ReadingIn] = Field(min_length=1, max_length=READINGS_MAX)
    papers: list[PaperIn] = Field(min_length=1, max_length=PAPERS_MAX)


class DecisionIn(BaseModel):
    """What a verifier found of a report (核查结论)."""

    model_config = _FROZEN

    accepts: bool
    finding: Written = Field(examples=["Readings agree with the invoices"])


class MeterOut(BaseModel):
    """What measures; its number is not kept."""

    model_config = _FROZEN

    kind: MeterKind
    label: str
    provider: str


class DesignOut(BaseModel):
    """A project's design as it is kept."""

    model_config = _FROZEN

    revision: int
    digest: str = Field(examples=["9f" * 32], description="SHA-256 of what is kept.")
    revised_at: datetime
    note: str
    title_zh: str
    title_en: str
    text: str
    site: str
    started_on: date
    crediting_since: date
    crediting_until: date
    quantities: dict[str, str]
    declarations: dict[str, bool]
    meters: list[MeterOut]


class ProjectReviewOut(BaseModel):
    """What somebody found of a design."""

    model_config = _FROZEN

    revision: int
    reviewer: str = Field(examples=["clk_01k0000000000000000000000a"])
    vote: Vote
    comment: str
    reviewed_at: datetime


class ExclusionOut(BaseModel):
    """Days that do not count."""

    model_config = _FROZEN

    first: date
    last: date
    meter: int | None


class ProjectRow(BaseModel):
    """A project in a list (减排项目)."""

    model_config = _FROZEN

    id: str = Field(examples=["prj_01k0000000000000000000000a"])
    owner_kind: OwnerKind
    methodology: str = Field(examples=["SHCER-PV"])
    version: int
    state: ProjectState
    applied_at: datetime
    registered_at: datetime | None
    crediting_since: date | None
    crediting_until: date | None
    ended_at: datetime | None


class ProjectPage(BaseModel):
    """Some projects, the newest first."""

    model_config = _FROZEN

    data: Sequence[ProjectRow]
    next_cursor: str | None


class ProjectOut(ProjectRow):
    """A project with its newest design, and all that was said of it."""

    design: DesignOut | None = Field(description="Gone where its citizen left.")
    reviews: list[ProjectReviewOut]
    lacking: list[str] = Field(description="What it lacks to be registered.")
    exclusions: list[ExclusionOut]
    ended_for: str | None


class ReadingOut(BaseModel):
    """What one meter told of one day."""

    model_config = _FROZEN

    day: date
    meter: int
    inputs: dict[str, str]


class PaperOut(BaseModel):
    """What proves the readings."""

    model_config = _FROZEN

    name: str
    sha256: str


class ReportRow(BaseModel):
    """A monitoring report in a list."""

    model_config = _FROZEN

    id: str = Field(examples=["mrp_01k0000000000000000000000a"])
    project: str = Field(examples=["prj_01k0000000000000000000000a"])
    first: date
    last: date
    sent_at: datetime
    is_accepted: bool | None = Field(description="None while a verifier has not decided.")
    decided_at: datetime | None
    finding: str | None


class ReportPage(BaseModel):
    """Some monitoring reports."""

    model_config = _FROZEN

    data: Sequence[ReportRow]
    next_cursor: str | None


class DayOut(BaseModel):
    """What one day came to, and from what (每日核算)."""

    model_config = _FROZEN

    day: date
    inputs: dict[str, str] | None
    grade: str | None
    reduction: ReductionOut
    reason: str = Field(description="Why nothing counts; empty where something does.")


class ReportOut(ReportRow):
    """A report with its readings and papers, and once accepted with its working."""

    readings: list[ReadingOut]
    papers: list[PaperOut]
    commitment: str = Field(description="To the readings; the evidence of what they accrue.")
    salt: str | None = Field(description="Opens the commitment; gone with the readings.")
    days: list[DayOut]
    reduction: ReductionOut


def wish_in(body: DesignIn) -> Wish:
    """Read a design."""
    meters = [MeterWish(e.kind, e.label, e.provider, e.number) for e in body.meters]
    return Wish(
        body.code,
        body.version,
        Words(body.title_zh, body.title_en, body.text, body.site),
        body.started_on,
        body.crediting_since,
        body.crediting_until,
        body.quantities,
        body.declarations.model_dump(),
        meters,
    )


def report_in(body: ReportIn, id_: UUID, salt: bytes) -> NewReport:
    """Read a monitoring report."""
    readings = [Reading(each.day, each.meter, each.inputs) for each in body.readings]
    papers = [Paper(each.name, each.sha256) for each in body.papers]
    return NewReport(id_, body.first, body.last, readings, papers, salt)
