"""The wire forms of gifts, and of whose a trip is (捐赠与出行归属的对外形式)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field
from pydantic import StringConstraints as Text

from app.kernel.http import Int, Str
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from app.neutrality.gathering_schemas import FROZEN, GatheringId
from app.neutrality.gatherings import PREFIX
from app.neutrality.gifts import GatheringGift
from app.neutrality.sides import Chosen, Side
from app.neutrality.survey_schemas import Ticket

GIFT_MG_MAX: Final = 10**13
ACT: Final = "act"


class GatheringGiftIn(BaseModel):
    """What you give; of the oldest months first."""

    model_config = FROZEN

    co2e_mg: Int = Field(ge=1, le=GIFT_MG_MAX, examples=[482_040])
    grade: Literal["A", "B"] = Field(
        default="A",
        description="A counts against what the gathering emitted; B is cancelled in its name and"
        " does not. 等级",
    )


class GatheringGiftOut(BaseModel):
    """What you gave to a gathering (捐赠)."""

    model_config = FROZEN

    id: str = Field(examples=["gif_01k0000000000000000000000a"])
    gathering: GatheringId
    grade: Literal["A", "B"]
    reduction: ReductionOut
    counts: bool = Field(description="Against what the gathering emitted. 是否计入")
    given_on: date


class GatheringGiftPage(BaseModel):
    """Some of your gifts, the newest first."""

    model_config = FROZEN

    data: Sequence[GatheringGiftOut]
    next_cursor: str | None


class TripSideIn(BaseModel):
    """Whose one of your trips shall be; said once."""

    model_config = FROZEN

    activity: Annotated[Str, Text(pattern=r"^act_[0-9a-z]{26}$")] = Field(
        examples=["act_01k0000000000000000000000a"]
    )
    side: Side = Field(
        description="`gathering`: what it earned leaves you, and the footprint is as low as the"
        " trip. `attendee`: you keep it, and the footprint is raised by it. 归属"
    )
    ticket: Ticket


class TripSideOut(BaseModel):
    """Whose a trip is (出行归属)."""

    model_config = FROZEN

    activity: str = Field(examples=["act_01k0000000000000000000000a"])
    gathering: GatheringId
    side: Side
    reduction: ReductionOut
    chosen_on: date


def gift_out(of: GatheringGift) -> GatheringGiftOut:
    """Write a gift."""
    return GatheringGiftOut(
        id=of.public,
        gathering=public_id(PREFIX, of.gathering),
        grade=of.grade,
        reduction=mass(of.mg),
        counts=of.counts,
        given_on=of.given_on,
    )


def side_out(of: Chosen) -> TripSideOut:
    """Write whose a trip is."""
    return TripSideOut(
        activity=public_id(ACT, of.activity),
        gathering=public_id(PREFIX, of.gathering),
        side=of.side,
        reduction=mass(of.mg),
        chosen_on=of.chosen_on,
    )
