"""A household's meter day by day (家庭电表日读数): one French household, 2006 to 2010 (UCI 235).

``Global_active_power`` is the sum over a day of mean powers per minute [kW], so a sixtieth of
it is the day's energy [kWh]. Minutes without a reading are not marked, and a day that lacks some
looks like a saving. The sum of ``Voltage`` tells: a full day of minutes at 234 V or more sums to
at least 336,960; below that the day is incomplete.

Each day tells what was used, and the mean of the seven days before where all seven are whole: a
methodology asks for the one (settled by the month) or for both (by the day).
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from app.activities.importers.formats import Importer, Items, Options, origin, row_id
from app.activities.importers.tables import Row, number, read_table, wall_clock
from app.activities.items import Item, Malformed

COLUMNS: Final = ("datetime", "Global_active_power", "Voltage")
PLACE: Final = "Sceaux, France 法国"
SUBJECT: Final = "uci-235"
PARIS: Final = ZoneInfo("Europe/Paris")
MINUTES_PER_HOUR: Final = Decimal(60)
FULL_DAY_VOLTS: Final = Decimal(234 * 1440)
WATT_HOUR: Final = Decimal("0.001")
WEEK_DAYS: Final = 7


def read(source: Path | bytes, options: Options) -> Items:
    """Give one item or fault a day."""
    return _items(read_table(source, COLUMNS), options)


def _items(rows: Iterator[Row], options: Options) -> Iterator[Item | Malformed]:
    week: deque[tuple[datetime, Decimal]] = deque(maxlen=WEEK_DAYS)
    for row in rows:
        item = Malformed(row.line, row.fault) if row.fault else _item(row, week, options)
        yield item


def _item(row: Row, week: deque[tuple[datetime, Decimal]], options: Options) -> Item | Malformed:
    at = wall_clock(row.cells["datetime"], PARIS)
    power, volts = number(row.cells["Global_active_power"]), number(row.cells["Voltage"])
    if at is None:
        return Malformed(row.line, "field.datetime")
    if power is None or power < 0:
        return Malformed(row.line, "field.Global_active_power")
    if volts is None:
        return Malformed(row.line, "field.Voltage")
    used_kwh = (power / MINUTES_PER_HOUR).quantize(WATT_HOUR)
    inputs: dict[str, Decimal | str] = {"energy": used_kwh, "used": used_kwh}
    if (mean := _mean_before(at, week)) is not None:
        inputs["own_mean"] = mean
    reason = _reason(power, volts)
    if not reason:
        week.append((at, used_kwh))
    source, place = origin(options, PLACE, at)
    return Item(
        line=row.line,
        external_id=row_id("meter", SUBJECT, f"{at:%Y-%m-%d}"),
        subject=SUBJECT,
        occurred_at=options.replay.told(at),
        inputs=inputs,
        mode="electricity",
        source_occurred_at=source,
        place=place,
        not_eligible=reason,
    )


def _mean_before(at: datetime, week: deque[tuple[datetime, Decimal]]) -> Decimal | None:
    """Give the mean of the seven whole days right before, if all of them are there."""
    if len(week) < WEEK_DAYS or week[0][0].date() != at.date() - timedelta(days=WEEK_DAYS):
        return None
    return (sum((used for _, used in week), Decimal(0)) / WEEK_DAYS).quantize(
        WATT_HOUR, ROUND_FLOOR
    )


def _reason(power: Decimal, volts: Decimal) -> str:
    if power == 0:
        return "meter.no_reading"
    return "" if volts >= FULL_DAY_VOLTS else "meter.day_incomplete"


IMPORTER: Final = Importer(
    name="uci-household",
    title_zh="家庭用电日读数",
    title_en="Household electricity, daily",
    place=PLACE,
    read=read,
)
