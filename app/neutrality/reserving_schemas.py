"""The wire forms of what a gathering reserves, trues up and retires (预留与注销的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, Field
from pydantic import StringConstraints as Text

from app.kernel.http import Day, Int, Str
from app.kernel.quantities import ReductionOut, mass
from app.neutrality.gathering_schemas import FROZEN
from app.neutrality.reserving import Reservation
from app.neutrality.standing import Standing
from app.neutrality.truing_up import TrueUp
from app.registry.batches import batch_name
from app.registry.retirements import Retirement, RetirementState

UNITS_MAX: Final = 10_000_000_000
"""Of one reservation: 10 million tonnes."""

Units = Annotated[int, Field(examples=[3_100_000], description="Whole kilograms. 单位，千克")]
BatchId = Annotated[str, Field(examples=["ibt_01k0000000000000000000000a"])]


class ReservationIn(BaseModel):
    """Units to set aside for a gathering."""

    model_config = FROZEN

    batch: Annotated[Str, Text(pattern=r"^ibt_[0-9a-z]{26}$")] = Field(
        examples=["ibt_01k0000000000000000000000a"]
    )
    quantity_kg: Int = Field(ge=1, le=UNITS_MAX, examples=[3_000_000])
    until: Day = Field(description="The last day on which they stay. 预留至")


class ReservationOut(BaseModel):
    """Units set aside for a gathering (预留)."""

    model_config = FROZEN

    id: str = Field(examples=["rsv_01k0000000000000000000000a"])
    batch: BatchId
    quantity_kg: Units
    left_kg: Units
    until: date
    reserved_at: datetime


class ReservationPage(BaseModel):
    """Some reservations, the newest first."""

    model_config = FROZEN

    data: Sequence[ReservationOut]
    next_cursor: str | None


class TrueUpOut(BaseModel):
    """What a true-up came to (轧差)."""

    model_config = FROZEN

    id: str = Field(examples=["tru_01k0000000000000000000000a"])
    inventory: int = Field(description="Version of the inventory of what was emitted.")
    needed_kg: Units
    added_kg: Units
    released_kg: Units
    trued_at: datetime


class GatheringRetirementOut(BaseModel):
    """Units of one batch that a gathering retires (活动注销)."""

    model_config = FROZEN

    id: str = Field(examples=["ret_01k0000000000000000000000a"])
    batch: BatchId
    quantity_kg: Units
    state: RetirementState
    serials: str | None = Field(description="Once they are given.")
    requested_at: datetime
    due_at: datetime = Field(description="Until then it may be taken back. 可撤回至")


class GatheringRetirementList(BaseModel):
    """What a gathering retires."""

    model_config = FROZEN

    data: Sequence[GatheringRetirementOut]


class StandingOut(BaseModel):
    """What a gathering emitted, and what has made up for it (中和进度)."""

    model_config = FROZEN

    inventory: int = Field(description="Version of the inventory of what was emitted.")
    deadline: date
    emitted: ReductionOut
    kept_by_attendees_kg: Units = Field(
        description="Earned by trips whose riders keep it, rounded up; the inventory is raised by"
        " it."
    )
    footprint: ReductionOut = Field(description="Both together: what is made up for.")
    given_kg: Units = Field(description="Gifts that count, less corrections, rounded down.")
    retired_kg: Units
    asked_kg: Units = Field(description="Waiting for their serials.")
    void_kg: Units = Field(
        description="Of the retired, those that stand for nothing and are not replaced yet."
    )
    needed_kg: Units = Field(description="Still to be retired.")
    lacking: ReductionOut = Field(description="Not made up for yet.")


def reservation_out(of: Reservation) -> ReservationOut:
    """Write a reservation."""
    return ReservationOut(
        id=of.public,
        batch=batch_name(of.batch),
        quantity_kg=of.quantity_kg,
        left_kg=of.left_kg,
        until=of.until,
        reserved_at=of.reserved_at,
    )


def true_up_out(of: TrueUp) -> TrueUpOut:
    """Write a true-up."""
    return TrueUpOut(
        id=of.public,
        inventory=of.inventory,
        needed_kg=of.needed_kg,
        added_kg=of.added_kg,
        released_kg=of.released_kg,
        trued_at=of.trued_at,
    )


def gathering_retirement_out(of: Retirement) -> GatheringRetirementOut:
    """Write a retirement of a gathering's."""
    return GatheringRetirementOut(
        id=of.public,
        batch=of.batch_public,
        quantity_kg=of.quantity_kg,
        state=of.state,
        serials=of.serial,
        requested_at=of.requested_at,
        due_at=of.due_at,
    )


def standing_out(of: Standing) -> StandingOut:
    """Write where a gathering stands."""
    return StandingOut(
        inventory=of.inventory.version,
        deadline=of.deadline,
        emitted=mass(of.inventory.total_mg),
        kept_by_attendees_kg=of.kept_kg,
        footprint=mass(of.footprint_mg),
        given_kg=of.given_kg,
        retired_kg=of.retired_kg,
        asked_kg=of.asked_kg,
        void_kg=of.void_kg,
        needed_kg=of.needed_kg,
        lacking=mass(of.lacking_mg),
    )
