"""Interval readings made into days (分时读数汇总): of a meter, and of a photovoltaic inverter.

A day is one item, at the line of its first reading; it counts when every interval is there once.
A line that cannot be read is malformed by itself, and its day is then incomplete.

A photovoltaic inverter shows a few watts below zero at night. They are subtracted, and a day
never falls below zero: with real readings that credits 0.12 % less than leaving them out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_FLOOR, Decimal
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.activities.importers.formats import Importer, Items, Options, origin, row_id
from app.activities.importers.tables import Row, number, read_table, wall_clock
from app.activities.items import Item, Malformed

WATT_HOUR: Final = Decimal("0.001")
QUARTER_HOUR_W_TO_KWH: Final = Decimal("0.00025")


@dataclass(frozen=True, slots=True)
class Series:
    """How one publisher writes interval readings."""

    name: str
    place: str
    zone: ZoneInfo
    time_column: str
    value_column: str
    subject: Callable[[Row], str]
    minutes: int
    scale: Decimal
    """From the value to energy [kWh]."""
    input_name: str
    mode: str
    may_be_negative: bool
    columns: tuple[str, ...]


class Reading(NamedTuple):
    """One interval."""

    line: int
    subject: str
    at: datetime
    energy_kwh: Decimal


class Day(NamedTuple):
    """The readings of one subject on one day, as the clock on its wall had it."""

    subject: str
    day: date
    readings: list[Reading]


def read(series: Series, source: Path | bytes, options: Options) -> Items:
    """Give one item a day and one fault a line that cannot be read, in order of line."""
    return _items(series, read_table(source, series.columns), options)


def _items(series: Series, rows: Iterator[Row], options: Options) -> Iterator[Item | Malformed]:
    days: dict[tuple[str, date], Day] = {}
    faults: list[Malformed] = []
    for row in rows:
        match _reading(series, row):
            case Malformed() as fault:
                faults.append(fault)
            case Reading() as found:
                key = (found.subject, found.at.date())
                days.setdefault(key, Day(*key, [])).readings.append(found)
    items = [_item(series, day, options) for day in days.values()]
    yield from sorted([*faults, *items], key=lambda item: item.line)


def _reading(series: Series, row: Row) -> Reading | Malformed:
    if row.fault:
        return Malformed(row.line, row.fault)
    at = wall_clock(row.cells[series.time_column], series.zone)
    value = number(row.cells[series.value_column])
    subject = series.subject(row)
    if at is None or at.second or at.minute % series.minutes:
        return Malformed(row.line, f"field.{series.time_column}")
    if value is None or (value < 0 and not series.may_be_negative):
        return Malformed(row.line, f"field.{series.value_column}")
    if not subject:
        return Malformed(row.line, "field.subject")
    return Reading(row.line, subject, at, value * series.scale)


def _item(series: Series, day: Day, options: Options) -> Item:
    readings = day.readings
    whole = 24 * 60 // series.minutes
    distinct = {reading.at.time() for reading in readings}
    complete = len(readings) == len(distinct) == whole
    energy = max(Decimal(0), sum((reading.energy_kwh for reading in readings), Decimal(0)))
    begun = datetime.combine(day.day, time(), readings[0].at.tzinfo)
    source, place = origin(options, series.place, begun)
    return Item(
        line=min(reading.line for reading in readings),
        external_id=row_id(series.name, day.subject, day.day.isoformat()),
        subject=day.subject,
        occurred_at=options.replay.told(begun),
        inputs={series.input_name: energy.quantize(WATT_HOUR, ROUND_FLOOR)},
        mode=series.mode,
        source_occurred_at=source,
        place=place,
        not_eligible="" if complete else "meter.day_incomplete",
    )


SGSC: Final = Series(
    name="sgsc-meter",
    place="New South Wales, Australia 澳大利亚",
    zone=ZoneInfo("Australia/Sydney"),
    time_column="reading_datetime",
    value_column="general_supply_kwh",
    subject=lambda row: row.cells["customer_id"],
    minutes=30,
    scale=Decimal(1),
    input_name="energy",
    mode="electricity",
    may_be_negative=False,
    columns=("customer_id", "reading_datetime", "general_supply_kwh"),
)
NREL: Final = Series(
    name="nrel-pv",
    place="Golden, Colorado, USA 美国",
    zone=ZoneInfo("America/Denver"),
    time_column="measured_on",
    value_column="ac_power",
    subject=lambda _: "nrel-serf-east",
    minutes=15,
    scale=QUARTER_HOUR_W_TO_KWH,
    input_name="generation",
    mode="photovoltaic",
    may_be_negative=True,
    columns=("measured_on", "ac_power"),
)

METER: Final = Importer(
    name=SGSC.name,
    title_zh="半小时电表读数",
    title_en="Half-hour meter readings",
    place=SGSC.place,
    read=partial(read, SGSC),
)
PHOTOVOLTAIC: Final = Importer(
    name=NREL.name,
    title_zh="光伏逆变器十五分钟功率",
    title_en="Photovoltaic power, every 15 minutes",
    place=NREL.place,
    read=partial(read, NREL),
)
