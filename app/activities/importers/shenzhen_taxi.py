"""Taxi trips of Shenzhen (出租车行程): real, and of a mode that no methodology counts.

They are here to be refused for the right reason. Some tracks are broken: the longest is 3,014 km
in 23 minutes. Such a record is no evidence of anything and is malformed, before its mode is
asked; every other one is a trip by a mode that is not eligible.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Final

from app.activities.importers.formats import Importer, Items, Options, origin, row_id
from app.activities.importers.tables import Row, number, read_table, wall_clock
from app.activities.items import Item, Malformed
from app.kernel.clock import SHANGHAI

COLUMNS: Final = ("orderid", "VehicleNum", "Stime", "Etime", "distance")
PLACE: Final = "Shenzhen 深圳"
TRACK_MAX_M: Final = 200_000
"""Further than across the province and back; a city taxi's track beyond it is broken."""
SPEED_MAX_M_PER_S: Final = Decimal(120_000) / 3600
METRES_PER_KM: Final = Decimal(1000)
METRE: Final = Decimal("0.001")


def read(source: Path | bytes, options: Options) -> Items:
    """Give one item or fault a trip."""
    return _items(read_table(source, COLUMNS), options)


def _items(rows: Iterator[Row], options: Options) -> Iterator[Item | Malformed]:
    for row in rows:
        yield Malformed(row.line, row.fault) if row.fault else _item(row, options)


def _item(row: Row, options: Options) -> Item | Malformed:
    cells = row.cells
    begun, ended = (wall_clock(cells[name], SHANGHAI) for name in ("Stime", "Etime"))
    distance_m = number(cells["distance"])
    if begun is None or ended is None or ended < begun:
        return Malformed(row.line, "field.Stime")
    if distance_m is None or distance_m < 0:
        return Malformed(row.line, "field.distance")
    if not cells["VehicleNum"]:
        return Malformed(row.line, "field.VehicleNum")
    name = row_id("taxi", cells["orderid"], cells["VehicleNum"], cells["Stime"])
    if is_broken(begun, ended, distance_m):
        return Malformed(row.line, "gps.implausible", name)
    source, place = origin(options, PLACE, begun)
    return Item(
        line=row.line,
        external_id=name,
        subject=f"taxi-{cells['VehicleNum']}",
        occurred_at=options.replay.told(begun),
        ended_at=options.replay.told(ended),
        inputs={"distance": (distance_m / METRES_PER_KM).quantize(METRE, ROUND_FLOOR)},
        mode="taxi",
        vehicle=cells["VehicleNum"],
        source_occurred_at=source,
        place=place,
        not_eligible="mode.not_eligible",
    )


def is_broken(begun: datetime, ended: datetime, distance_m: Decimal) -> bool:
    """Tell a track that no taxi drove: over 200 km, or faster than 120 km/h on average.

    >>> noon, later = datetime(2020, 1, 20, 12, 0), datetime(2020, 1, 20, 12, 30)
    >>> is_broken(noon, later, Decimal(59_000)), is_broken(noon, later, Decimal(61_000))
    (False, True)
    """
    seconds = Decimal(int((ended - begun).total_seconds()))
    return distance_m > min(Decimal(TRACK_MAX_M), SPEED_MAX_M_PER_S * seconds)


IMPORTER: Final = Importer(
    name="shenzhen-taxi",
    title_zh="出租车行程",
    title_en="Taxi trips",
    place=PLACE,
    read=read,
)
