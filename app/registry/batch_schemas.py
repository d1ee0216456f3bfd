"""The wire forms of issue batches, units and holdings (签发批次的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass, whole_kg
from app.registry.batches import Batch, Holding, serial_of
from app.registry.lineage import LeftOut, OpenedRow, OwnUnits
from app.registry.lots import PREFIX as LOT
from app.registry.replacing import Standing
from app.registry.rules import Units
from app.registry.schemas import ClassOut, ErrorRateOut, shown_class
from ledger.lots import row_leaf
from ledger.serials import Serial

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
ACT: Final = "act"
BatchId = Annotated[
    str, Field(examples=["ibt_01k0000000000000000000000a"], description="签发批次编号")
]


class BatchBriefOut(BaseModel):
    """An issue batch in a list (签发批次); quantities are units of 1 kg."""

    model_config = FROZEN

    id: BatchId
    number: int
    serial: str = Field(description="Of all its units.")
    lot: str
    reductions: ClassOut
    issued_at: datetime
    quantity_kg: int
    buffer_kg: int = Field(description="Of these, what the buffer received.")
    retired_kg: int
    void_kg: int


class BatchOut(BatchBriefOut):
    """An issue batch as anybody may see it (签发批次)."""

    series_start_mg: int = Field(description="Where its units begin in the series of their class.")
    short: ReductionOut = Field(
        description="What corrections took of its acts since, in whole kilograms."
    )
    replaced_kg: int = Field(description="Buffer units that were retired for that.")
    deficit_kg: int = Field(description="Whole units that the buffer still owes. 公开缺口")
    error_rate: ErrorRateOut | None


class BatchPage(BaseModel):
    """Some batches, the newest first."""

    model_config = FROZEN

    data: Sequence[BatchBriefOut]
    next_cursor: str | None


class UnitRowOut(BaseModel):
    """An act of which something is in a unit; its leaf opens to its owner alone."""

    model_config = FROZEN

    leaf: str


class UnitRowPage(BaseModel):
    """Some of the acts that a unit is of, by their leaves."""

    model_config = FROZEN

    data: Sequence[UnitRowOut]
    next_cursor: str | None


class SerialOut(BaseModel):
    """Units that a serial names (序列号)."""

    model_config = FROZEN

    serial: str
    batch: BatchId
    start: int
    end: int
    quantity_kg: int
    retired_kg: int = Field(description="Of these, what has been retired.")
    void_kg: int


class OwnUnitsOut(BaseModel):
    """Units that hold grams of one of my acts (我的单位)."""

    model_config = FROZEN

    lot: str
    activity: str
    batch: BatchId
    serial: str
    co2e: ReductionOut
    retired_kg: int = Field(description="Of these units, how many have been retired.")


class OwnUnitsPage(BaseModel):
    """Some of them, the newest lot first."""

    model_config = FROZEN

    data: Sequence[OwnUnitsOut]
    next_cursor: str | None


class OpeningOut(BaseModel):
    """What opens a leaf: with it anybody can check that my act is in the lot's root."""

    model_config = FROZEN

    lot_uuid: str
    activity_uuid: str
    class_key: str
    day: int = Field(description="Of the act, since 1970-01-01.")
    act_mg: int
    mg: int
    evidence_commit: str
    salt: str
    leaf: str
    position: int
    leaves: int
    path: Sequence[str]
    root: str


class GramOut(BaseModel):
    """One of my acts in one lot: left out, on its way, or in units (溯源)."""

    model_config = FROZEN

    lot: str
    activity: str
    co2e: ReductionOut
    left_out: str | None = Field(description="Why it is not in the lot.")
    opening: OpeningOut | None
    units: OwnUnitsOut | None


class HoldingOut(BaseModel):
    """Units of one batch that an organisation has (持有)."""

    model_config = FROZEN

    batch: BatchId
    reductions: ClassOut
    available_kg: int
    held_kg: int = Field(description="Reserved: for a retirement or a sale. 冻结")


class HoldingsOut(BaseModel):
    """All units that an organisation has."""

    model_config = FROZEN

    available_kg: int
    held_kg: int
    data: Sequence[HoldingOut]


class MovementOut(BaseModel):
    """Units that came or went (持有变动)."""

    model_config = FROZEN

    recorded_on: date
    movement: str = Field(examples=["issue_unit", "trade", "hold", "release", "retire"])
    batch: BatchId
    available_kg: int = Field(description="By how much what is available changed.")
    held_kg: int = Field(description="By how much what is reserved changed.")
    cause: str


def shown_batch_brief(batch: Batch) -> BatchBriefOut:
    """Show a batch in a list."""
    return BatchBriefOut(
        id=batch.public,
        number=batch.number,
        serial=serial_of(batch, 1, batch.quantity_kg),
        lot=public_id(LOT, batch.lot),
        reductions=shown_class(batch.reduction),
        issued_at=batch.issued_at,
        quantity_kg=batch.quantity_kg,
        buffer_kg=batch.buffer_kg,
        retired_kg=batch.cursor_kg,
        void_kg=batch.quantity_kg - batch.end_kg,
    )


def shown_batch(batch: Batch, standing: Standing, rate: ErrorRateOut | None) -> BatchOut:
    """Show a batch."""
    return BatchOut(
        **dict(shown_batch_brief(batch)),
        series_start_mg=batch.first_mg,
        short=whole_kg(standing.short_mg),
        replaced_kg=standing.replaced_kg,
        deficit_kg=standing.deficit_kg,
        error_rate=rate,
    )


def shown_unit_row(leaf: bytes) -> UnitRowOut:
    """Show an act of a unit."""
    return UnitRowOut(leaf=leaf.hex())


def shown_serial(text: str, batch: Batch, serial: Serial) -> SerialOut:
    """Show units that a serial names."""
    units = Units(serial.start, serial.end)
    return SerialOut(
        serial=text,
        batch=batch.public,
        start=serial.start,
        end=serial.end,
        quantity_kg=serial.quantity_kg,
        retired_kg=_retired(batch, units),
        void_kg=max(0, serial.end - max(serial.start - 1, batch.end_kg)),
    )


def shown_own(its: OwnUnits) -> OwnUnitsOut:
    """Show units that hold my grams."""
    return OwnUnitsOut(
        lot=public_id(LOT, its.lot),
        activity=public_id(ACT, its.activity),
        batch=its.batch.public,
        serial=serial_of(its.batch, *its.units),
        co2e=mass(its.mg),
        retired_kg=_retired(its.batch, its.units),
    )


def shown_gram(lot: str, activity: str, found: OpenedRow | LeftOut) -> GramOut:
    """Show one of my acts in one lot."""
    if isinstance(found, LeftOut):
        told = mass(found.mg)
        return GramOut(
            lot=lot, activity=activity, co2e=told, left_out=found.reason, opening=None, units=None
        )
    units = None
    if found.batch is not None and found.units is not None:
        row = found.row
        own = OwnUnits(row.lot, row.act, found.batch, found.units, found.issued_mg)
        units = shown_own(own)
    return GramOut(
        lot=lot,
        activity=activity,
        co2e=mass(found.row.mg),
        left_out=None,
        opening=_opening(found),
        units=units,
    )


def shown_holdings(found: Sequence[Holding]) -> HoldingsOut:
    """Show what an organisation has."""
    return HoldingsOut(
        available_kg=sum(each.available_kg for each in found),
        held_kg=sum(each.held_kg for each in found),
        data=[
            HoldingOut(
                batch=each.batch.public,
                reductions=shown_class(each.batch.reduction),
                available_kg=each.available_kg,
                held_kg=each.held_kg,
            )
            for each in found
        ],
    )


def _opening(found: OpenedRow) -> OpeningOut:
    row, lot = found.row, found.lot
    assert lot.root is not None, lot
    assert lot.leaves is not None, lot
    return OpeningOut(
        lot_uuid=str(row.lot),
        activity_uuid=str(row.act),
        class_key=row.asset_key.hex(),
        day=row.day,
        act_mg=row.act_mg,
        mg=row.mg,
        evidence_commit=row.evidence.hex(),
        salt=found.salt.hex(),
        leaf=row_leaf(row, found.salt).hex(),
        position=found.position,
        leaves=lot.leaves,
        path=[each.hex() for each in found.path],
        root=lot.root.hex(),
    )


def _retired(batch: Batch, units: Units) -> int:
    return max(0, min(units.last, batch.cursor_kg) - units.first + 1)
