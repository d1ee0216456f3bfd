"""The wire forms of giving (公益的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.benefit.cancellations import PREFIX, PublicCancellation, Shown
from app.benefit.choices import Choice
from app.kernel.http import Day, Str, Written
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
OFFER: Final = "off"
Title = Annotated[Written, StringConstraints(max_length=100)]
Purpose = Annotated[Written, StringConstraints(max_length=2000)]
CancellationId = Annotated[
    str, Field(examples=["pca_01k0000000000000000000000a"], description="公益注销活动编号")
]


class BenefitIn(BaseModel):
    """What may be given of mine, and to whom; what is left out is not given."""

    model_config = FROZEN

    cancellation: Annotated[Str, StringConstraints(max_length=40)] | None = Field(
        default=None,
        examples=["pca_01k0000000000000000000000a"],
        description="The public cancellation that residual milligrams join. 零头归公",
    )
    donation: Annotated[Str, StringConstraints(max_length=40)] | None = Field(
        default=None,
        examples=["off_01k0000000000000000000000a"],
        description="The donation that takes points in the evening of their last day. 到期转捐",
    )


class BenefitOut(BaseModel):
    """What I chose (公益设置)."""

    model_config = FROZEN

    cancellation: str | None
    donation: str | None
    chosen_at: datetime | None = Field(description="Null while nothing is chosen.")


class CancellationIn(BaseModel):
    """A public cancellation to open."""

    model_config = FROZEN

    title_zh: Title = Field(examples=["城市湿地"])
    title_en: Title = Field(examples=["City wetland"])
    purpose_zh: Purpose = Field(examples=["零头归公, 不再用于抵消"])
    purpose_en: Purpose = Field(examples=["Extinguished for everybody; nobody offsets with it."])
    organiser: Annotated[Written, StringConstraints(max_length=200)] = Field(
        examples=["Ecology and Environment Bureau"]
    )
    starts_on: Day
    ends_on: Day


class TotalOut(BaseModel):
    """What a crowd gave in one grade, less what corrections took back."""

    model_config = FROZEN

    grade: Literal["A", "B"]
    persons: int
    reduction: ReductionOut
    counted_on: date = Field(description="The last night that it includes.")


class CancellationOut(BaseModel):
    """A public cancellation as anybody may see it (公益注销)."""

    model_config = FROZEN

    id: CancellationId
    title_zh: str
    title_en: str
    purpose_zh: str
    purpose_en: str
    organiser: str
    starts_on: date
    ends_on: date
    opened_at: datetime
    cause: str = Field(
        description="The cause of every transfer to `cancelled` that joined it, as auditors read"
        " them and as givers find them among their own.",
        examples=["0198c0de-0000-7000-8000-000000000000"],
    )
    totals: Sequence[TotalOut] = Field(
        description="By grade; a grade is left out until enough people have given."
    )


class CancellationPage(BaseModel):
    """Some public cancellations, the newest first."""

    model_config = FROZEN

    data: Sequence[CancellationOut]
    next_cursor: str | None


def shown_choice(choice: Choice) -> BenefitOut:
    """Show what somebody chose."""
    cause, offer = choice.cancellation, choice.offer
    return BenefitOut(
        cancellation=None if cause is None else public_id(PREFIX, cause),
        donation=None if offer is None else public_id(OFFER, offer),
        chosen_at=choice.chosen_at,
    )


def shown_cancellation(found: Shown) -> CancellationOut:
    """Show a public cancellation."""
    its: PublicCancellation = found.cancellation
    return CancellationOut(
        id=public_id(PREFIX, its.id),
        title_zh=its.title_zh,
        title_en=its.title_en,
        purpose_zh=its.purpose_zh,
        purpose_en=its.purpose_en,
        organiser=its.organiser,
        starts_on=its.starts_on,
        ends_on=its.ends_on,
        opened_at=its.opened_at,
        cause=str(its.id),
        totals=[
            TotalOut.model_validate(
                {
                    "grade": each.grade,
                    "persons": each.persons,
                    "reduction": mass(each.mg),
                    "counted_on": each.counted_on,
                }
            )
            for each in found.totals
        ],
    )
