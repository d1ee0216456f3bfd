"""Metro and bus taps of Shenzhen (深圳通刷卡), as the city published a page of them in 2018.

A trip is what was paid for: a metro exit or a bus tap at which money was charged. The first
trains run after six, and the cards that tap in and out before that at a fare of 2 yuan are
charged nothing: whoever does not pay is not shown to have travelled, so such a tap is no trip.
An entry is half a trip and earns nothing; it serves to measure the exit's distance, where the
segment graph is at hand. In and out of one station is no trip at all.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from app.activities.importers.formats import Importer, Items, Options, origin, row_id
from app.activities.importers.segments import Segments, station_name
from app.activities.importers.tables import Row, number, read_table, wall_clock
from app.activities.items import Item, Malformed
from app.kernel.clock import SHANGHAI

COLUMNS: Final = (
    "deal_date",
    "card_no",
    "deal_type",
    "company_name",
    "station",
    "deal_money",
    "equ_no",
)
ENTRY: Final = "地铁入站"
EXIT: Final = "地铁出站"
BUS: Final = "巴士"
MODES: Final[Mapping[str, str]] = {ENTRY: "metro", EXIT: "metro", BUS: "bus"}
PLACE: Final = "Shenzhen 深圳"
JOURNEY_MAX: Final = timedelta(hours=4)
"""An entry longer ago than a ride lasts is not this exit's."""
FARE_MAX_FEN: Final = 100_000
METRES_PER_KM: Final = Decimal(1000)


class Tap(NamedTuple):
    """One tap of one card."""

    row: Row
    at: datetime
    card: str
    kind: str
    paid_fen: int

    @property
    def station(self) -> str:
        """The station as people name it; for a bus its line."""
        return station_name(self.row.cells["station"])


def read(source: Path | bytes, options: Options) -> Items:
    """Give one item or fault a tap, in the order of the file."""
    rows = read_table(source, COLUMNS)
    return _items([_tap(row) for row in rows], options)


def _items(taps: list[Tap | Malformed], options: Options) -> Iterator[Item | Malformed]:
    entries = _entry_of_exit([tap for tap in taps if isinstance(tap, Tap)])
    for tap in taps:
        if isinstance(tap, Malformed):
            yield tap
        else:
            yield _item(tap, entries.get(tap.row.line), options)


def _tap(row: Row) -> Tap | Malformed:
    if row.fault:
        return Malformed(row.line, row.fault)
    cells = row.cells
    at = wall_clock(cells["deal_date"], SHANGHAI)
    paid = number(cells["deal_money"])
    if at is None:
        return Malformed(row.line, "field.deal_date")
    if paid is None or not 0 <= paid <= FARE_MAX_FEN or paid != int(paid):
        return Malformed(row.line, "field.deal_money")
    if cells["deal_type"] not in MODES:
        return Malformed(row.line, "field.deal_type")
    if not cells["card_no"]:
        return Malformed(row.line, "field.card_no")
    return Tap(row, at, cells["card_no"], cells["deal_type"], int(paid))


def _entry_of_exit(taps: list[Tap]) -> dict[int, Tap]:
    """Pair each exit with the same card's last entry before it; each entry serves once."""
    open_entry: dict[str, Tap] = {}
    found: dict[int, Tap] = {}
    for tap in sorted(taps, key=lambda tap: (tap.at, tap.kind == EXIT, tap.row.line)):
        if tap.kind == ENTRY:
            open_entry[tap.card] = tap
        elif tap.kind == EXIT:
            entry = open_entry.pop(tap.card, None)
            if entry is not None and tap.at - entry.at <= JOURNEY_MAX:
                found[tap.row.line] = entry
                found[entry.row.line] = entry
    return found


def _item(tap: Tap, entry: Tap | None, options: Options) -> Item:
    inputs: dict[str, Decimal | str] = {
        "mode": MODES[tap.kind],
        "trips": Decimal(1),
        "passenger": Decimal(1),
    }
    reason = _reason(tap, entry)
    if not reason and options.segments is not None:
        reason, metres = _distance(options.segments, tap, entry)
        inputs["distance"] = Decimal(metres) / METRES_PER_KM
    source, place = origin(options, PLACE, tap.at)
    begun = entry.at if entry is not None and tap.kind == EXIT else tap.at
    cells = tap.row.cells
    return Item(
        line=tap.row.line,
        external_id=row_id("afc", tap.card, cells["deal_date"], tap.kind, cells["equ_no"]),
        subject=tap.card,
        occurred_at=options.replay.told(begun),
        ended_at=options.replay.told(tap.at) if begun != tap.at else None,
        inputs=inputs,
        mode=MODES[tap.kind],
        vehicle=cells.get("car_no", "") if tap.kind == BUS else "",
        station=tap.station if tap.kind == EXIT else "",
        source_occurred_at=source,
        place=place,
        not_eligible=reason,
    )


def _reason(tap: Tap, entry: Tap | None) -> str:
    """Say why a tap is no trip, most telling first; empty if it is one."""
    if tap.kind == ENTRY:
        return "tap.entry_unmatched" if entry is None else "tap.entry_of_trip"
    if not tap.row.cells["station"]:
        return "tap.station_missing"
    if tap.kind == EXIT and entry is not None and entry.station == tap.station:
        return "trip.same_station"
    return "" if tap.paid_fen else "trip.unpaid"


def _distance(segments: Segments, tap: Tap, entry: Tap | None) -> tuple[str, int]:
    """Measure a trip from station to station [m]; a bus tap tells where, and not how far."""
    if tap.kind == BUS:
        return "trip.distance_unknown", 0
    if entry is None:
        return "trip.entry_missing", 0
    a, b = segments.name(entry.row.cells["station"]), segments.name(tap.row.cells["station"])
    if a is None or b is None:
        return "trip.station_unknown", 0
    metres = segments.distance_m(a, b)
    return ("", metres) if metres is not None else ("trip.no_path", 0)


IMPORTER: Final = Importer(
    name="shenzhen-afc",
    title_zh="深圳通刷卡记录",
    title_en="Shenzhen metro and bus taps",
    place=PLACE,
    read=read,
)
