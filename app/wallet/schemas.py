"""The wallet's wire form (钱包的对外形式): holdings, acts in a list, days and trends."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.growth.levels import Level
from app.growth.schemas import LevelOut, shown_level
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from app.wallet.acts import ActRow
from app.wallet.holdings import Holdings
from app.wallet.rules import GradeWord, OutcomeWord, Total, field_of
from methodologies import Field as LifeField

FROZEN = ConfigDict(extra="forbid", frozen=True)
ActId = Annotated[str, Field(examples=["act_01k0000000000000000000000a"])]


class ClassOut(BaseModel):
    """What is held of one class of reductions (减排量类别)."""

    model_config = FROZEN

    methodology: str = Field(examples=["SZ-METRO"])
    version: int = Field(examples=[1])
    scenario: str = Field(examples=["sz-metro"])
    grade: GradeWord
    vintage: str = Field(description="Month of the acts, YYYY-MM.", examples=["2026-11"])
    field: LifeField
    reduction: ReductionOut


class FieldOut(BaseModel):
    """Milligrams of one field of life (领域)."""

    model_config = FROZEN

    field: LifeField
    reduction: ReductionOut


class PointsClassOut(BaseModel):
    """Points that expire on one day (积分类别)."""

    model_config = FROZEN

    programme: str = Field(examples=["green"])
    expires: date = Field(description="The last day on which they can be spent.")
    available: int = Field(examples=[120])
    reserved: int = Field(examples=[0])


class PointsOut(BaseModel):
    """Points, earliest expiry first (碳积分)."""

    model_config = FROZEN

    available: int = Field(description="Can be spent today.", examples=[120])
    reserved: int = Field(description="Promised to orders.", examples=[0])
    expiring_soon: int = Field(description="Available, with 30 days or less to go.", examples=[0])
    owed: int = Field(
        description="What corrections left owing; later earnings pay it first.", examples=[0]
    )
    classes: list[PointsClassOut]


class WalletOut(BaseModel):
    """What a citizen holds (钱包)."""

    model_config = FROZEN

    reduction: ReductionOut = Field(description="All that is held.")
    fields: list[FieldOut]
    reductions: list[ClassOut]
    points: PointsOut
    growth: int = Field(description="The growth value of twelve months.", examples=[30])
    level: LevelOut


class ActOut(BaseModel):
    """An act and what became of it (低碳行为)."""

    model_config = FROZEN

    id: ActId
    occurred_on: date
    recorded_on: date
    provider: str = Field(examples=["sz-metro"])
    provider_name_zh: str
    provider_name_en: str
    methodology: str | None = Field(description="Null where none was in force.")
    version: int | None
    field: LifeField
    mode: str
    outcome: OutcomeWord
    reason: str | None = Field(description="Why it is merged or ineligible.")
    grade: GradeWord | None = Field(description="Null where no reduction is recorded.")
    reduction: ReductionOut = Field(description="What it added, after cap and corrections.")


class ActPage(BaseModel):
    """Acts, the newest recorded first."""

    model_config = FROZEN

    data: list[ActOut]
    next_cursor: str | None


class TotalOut(BaseModel):
    """What a day, week or month came to."""

    model_config = FROZEN

    first: date = Field(description="The day itself, or the first day of the week or month.")
    activities: int = Field(description="Acts that count, those of grade C among them.")
    reduction: ReductionOut
    fields: list[FieldOut]


class CalendarOut(BaseModel):
    """The days of a month on which something was added (减排日历)."""

    model_config = FROZEN

    month: str = Field(examples=["2026-11"])
    days: list[TotalOut]
    total: TotalOut


class TrendsOut(BaseModel):
    """A row of months or weeks, the empty ones included (趋势)."""

    model_config = FROZEN

    by: Literal["month", "week"]
    data: list[TotalOut]


def shown_wallet(held: Holdings, growth: int, level: Level) -> WalletOut:
    """Write holdings as the wire has them."""
    return WalletOut(
        reduction=mass(held.reduction_mg),
        fields=_fields(held.fields),
        reductions=[
            ClassOut(
                methodology=each.methodology,
                version=each.version,
                scenario=each.scenario,
                grade=each.grade,
                vintage=month_text(each.vintage),
                field=field_of(each.methodology),
                reduction=mass(each.mg),
            )
            for each in held.reductions
        ],
        points=PointsOut(
            available=held.spendable,
            reserved=held.reserved,
            expiring_soon=held.expiring_soon,
            owed=held.owed,
            classes=[PointsClassOut(**each._asdict()) for each in held.points],
        ),
        growth=growth,
        level=shown_level(level),
    )


def shown_act(act: ActRow) -> ActOut:
    """Write an act as a list has it."""
    return ActOut(
        id=public_id("act", act.id),
        occurred_on=act.occurred_on,
        recorded_on=act.recorded_on,
        provider=act.provider,
        provider_name_zh=act.provider_zh,
        provider_name_en=act.provider_en,
        methodology=act.methodology,
        version=act.version,
        field=field_of(act.methodology),
        mode=act.mode,
        outcome=act.outcome,
        reason=act.reason,
        grade=act.grade,
        reduction=mass(act.granted_mg),
    )


def shown_total(first: date, total: Total) -> TotalOut:
    """Write what a span came to."""
    return TotalOut(
        first=first,
        activities=total.acts,
        reduction=mass(total.mg),
        fields=_fields(total.fields),
    )


def month_text(day: date) -> str:
    """Write the month of a day.

    >>> month_text(date(2026, 3, 9))
    '2026-03'
    """
    return f"{day:%Y-%m}"


def _fields(sums: dict[LifeField, int]) -> list[FieldOut]:
    return [FieldOut(field=of, reduction=mass(mg)) for of, mg in sorted(sums.items())]
