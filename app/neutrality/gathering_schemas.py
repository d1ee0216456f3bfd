"""The wire forms of gatherings, plans and actions (大型活动、计划与行动的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic import StringConstraints as Text

from app.kernel.http import Day, Int, Str, Written
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from app.neutrality.actions import Action
from app.neutrality.categories import Category
from app.neutrality.gatherings import PREFIX, Gathering, Occasion
from app.neutrality.plans import Intent, OffsetWay, Plan
from app.neutrality.thresholds import GatheringKind, Size

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
COUNT_MAX: Final = 10_000_000

Title = Annotated[Written, Text(max_length=200)]
Sentence = Annotated[Written, Text(max_length=500)]
Digest = Annotated[
    Str,
    Text(pattern=r"^[0-9a-f]{64}$"),
    Field(
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        description="SHA-256 of what you keep and can show. 证据摘要",
    ),
]
District = Annotated[
    Str,
    Text(pattern=r"^[1-9][0-9]{5}$"),
    Field(examples=["310115"], description="GB/T 2260. 行政区划代码"),
]
GatheringId = Annotated[str, Field(examples=["gth_01k0000000000000000000000a"])]


class SituationIn(BaseModel):
    """How large a gathering is, where and when."""

    model_config = FROZEN

    title_zh: Title = Field(examples=["上海马拉松"])
    title_en: Title = Field(examples=["Shanghai Marathon"])
    people: Int = Field(
        ge=1,
        le=COUNT_MAX,
        examples=[38000],
        description="Expected on the spot, performers and staff among them. 现场人数",
    )
    visits: Annotated[Int, Field(ge=1, le=COUNT_MAX)] | None = Field(
        default=None, description="Expected visits; exhibitions are classified by them. 人次"
    )
    area_m2: Annotated[Int, Field(ge=1, le=COUNT_MAX)] | None = Field(
        default=None, description="Likewise. 展览面积"
    )
    starts_on: Day = Field(examples=["2026-11-29"])
    ends_on: Day = Field(examples=["2026-11-29"])
    district: District
    place: Title = Field(examples=["外滩至上海体育场"])


class GatheringIn(SituationIn):
    """A gathering that shall be neutral."""

    kind: GatheringKind


class ThresholdsOut(BaseModel):
    """By which thresholds a gathering was classified."""

    model_config = FROZEN

    policy: str = Field(examples=["SH-2025"])
    is_voluntary: bool = Field(description="Below every one of them. 自愿开展")


class GatheringOut(BaseModel):
    """A gathering (大型活动)."""

    model_config = FROZEN

    id: GatheringId
    kind: GatheringKind
    title_zh: str
    title_en: str
    people: int
    visits: int | None
    area_m2: int | None
    starts_on: date
    ends_on: date
    district: str
    place: str
    thresholds: ThresholdsOut
    deadline: date = Field(description="Until when its emissions are made up for. 抵消期限")
    opened_at: datetime


class GatheringPage(BaseModel):
    """Gatherings, the newest first."""

    model_config = FROZEN

    data: Sequence[GatheringOut]
    next_cursor: str | None


class PlanIn(BaseModel):
    """What you mean to do; expected emissions are those of the latest expected inventory."""

    model_config = FROZEN

    boundary: Annotated[Written, Text(max_length=2000)] = Field(
        examples=["From the first delivery to the last; television crews are left out."]
    )
    measures: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=30)] = Field(
        examples=[["Refill points instead of bottles", "Metro tickets in the starter's bag"]]
    )
    offset_way: OffsetWay
    deadline: Day = Field(examples=["2027-05-31"])
    is_public: bool = Field(description="Whether anybody may read it. 是否公开")


class PlanOut(BaseModel):
    """A plan (碳中和实施计划)."""

    model_config = FROZEN

    gathering: GatheringId
    version: int
    boundary: str
    measures: Sequence[str]
    offset_way: OffsetWay
    deadline: date
    is_public: bool
    inventory_version: int
    expected: ReductionOut = Field(description="Expected to be emitted. 预计排放")
    made_at: datetime


class PlanPage(BaseModel):
    """Versions of a plan, the newest first."""

    model_config = FROZEN

    data: Sequence[PlanOut]
    next_cursor: str | None


class PublicPlanOut(BaseModel):
    """A gathering's plan, as its organiser shows it to everybody."""

    model_config = FROZEN

    gathering: GatheringOut
    organiser_zh: str
    organiser_en: str
    plan: PlanOut


class ActionIn(BaseModel):
    """Something that was done to emit less."""

    model_config = FROZEN

    category: Category
    text: Annotated[Written, Text(max_length=1000)] = Field(
        examples=["Refill points: 120,000 bottles were not bought"]
    )
    taken_on: Day = Field(examples=["2026-11-29"])
    evidence: Digest


class ActionOut(BaseModel):
    """An action (减排行动); it lowers the inventory and is no reduction of the books."""

    model_config = FROZEN

    id: str = Field(examples=["gac_01k0000000000000000000000b"])
    category: Category
    text: str
    taken_on: date
    evidence: Digest
    recorded_at: datetime


class ActionPage(BaseModel):
    """Actions, in the order in which they were told."""

    model_config = FROZEN

    data: Sequence[ActionOut]
    next_cursor: str | None


def occasion_in(body: SituationIn, kind: GatheringKind) -> Occasion:
    """Read what is told of a gathering."""
    size = Size(body.people, body.visits, body.area_m2)
    named = (kind, body.title_zh, body.title_en, size)
    return Occasion(*named, body.starts_on, body.ends_on, body.district, body.place)


def gathering_out(gathering: Gathering) -> GatheringOut:
    """Tell a gathering."""
    occasion, size = gathering.occasion, gathering.occasion.size
    return GatheringOut(
        id=gathering.public,
        kind=occasion.kind,
        title_zh=occasion.title_zh,
        title_en=occasion.title_en,
        people=size.people,
        visits=size.visits,
        area_m2=size.area_m2,
        starts_on=occasion.starts_on,
        ends_on=occasion.ends_on,
        district=occasion.district,
        place=occasion.place,
        thresholds=ThresholdsOut(policy=gathering.policy, is_voluntary=gathering.is_voluntary),
        deadline=gathering.deadline,
        opened_at=gathering.opened_at,
    )


def intent_in(body: PlanIn) -> Intent:
    """Read a plan."""
    said = (body.boundary, body.measures, body.offset_way)
    return Intent(*said, body.deadline, body.is_public)


def plan_out(plan: Plan) -> PlanOut:
    """Tell a plan."""
    intent = plan.intent
    return PlanOut(
        gathering=public_id(PREFIX, plan.gathering),
        version=plan.version,
        boundary=intent.boundary,
        measures=intent.measures,
        offset_way=intent.offset_way,
        deadline=intent.deadline,
        is_public=intent.is_public,
        inventory_version=plan.inventory,
        expected=mass(plan.expected_mg),
        made_at=plan.made_at,
    )


def action_out(action: Action) -> ActionOut:
    """Tell an action."""
    return ActionOut(
        id=action.public,
        category=action.category,
        text=action.text,
        taken_on=action.taken_on,
        evidence=action.evidence.hex(),
        recorded_at=action.recorded_at,
    )
