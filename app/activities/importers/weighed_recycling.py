"""Weighed recycling of Zurich (苏黎世分类称重): scale readings by bin and material [kg].

Five files of four student groups, each with words of its own for the same materials. A bin
stands for the person who brought what is in it; that is the demonstration's assumption, and each
act's place of origin says where the bin stood. What a bin collects under *other* is waste.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, time
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from app.activities.errors import UploadHeader
from app.activities.importers.formats import Importer, Items, Options, origin, row_id
from app.activities.importers.tables import Row, header_of, number, read_table, wall_clock
from app.activities.items import Item, Malformed
from methodologies import Evidence

PLACE: Final = "Zurich 苏黎世"
ZURICH: Final = ZoneInfo("Europe/Zurich")
GRAM: Final = Decimal("0.001")
BINS: Final = ("bin_id", "identifier", "bag_nr")
"""The column that tells one bin from another; the first that a file has."""
WORDS: Final = ("category", "sub_bin_type")
MATERIALS: Final[Mapping[str, str]] = {
    "paper": "paper",
    "glass": "glass",
    "pet": "pet",
    "plastic_bottles": "hdpe",
    "plastic_non_bottles": "pp",
    "metals": "steel_cans",
    "metal": "steel_cans",
    "metal_alu": "aluminium_cans",
}
"""Their words and those of the methodology. A word that covers several of ours gets the one that
saves least: bottles may be PET or HDPE, metal may be steel or aluminium."""
WASTE: Final = frozenset({"other", "others"})


def read(source: Path | bytes, options: Options) -> Items:
    """Give one item or fault a weighing.

    Raises:
        UploadRefused: It is no such file, or does not tell its day and none was declared.
    """
    header = header_of(source)
    word = next((name for name in WORDS if name in header), WORDS[0])
    bin_column = next((name for name in BINS if name in header), BINS[0])
    needed = [bin_column, word, "weight"]
    if "day_of_collection" not in header and options.day is None:
        raise UploadHeader(missing="day_of_collection")
    return _items(read_table(source, needed), word, bin_column, options)


def _items(
    rows: Iterator[Row], word: str, bin_column: str, options: Options
) -> Iterator[Item | Malformed]:
    for row in rows:
        if row.fault:
            yield Malformed(row.line, row.fault)
        else:
            yield _item(row, row.cells[word].lower(), row.cells[bin_column], options)


def _item(row: Row, word: str, bin_name: str, options: Options) -> Item | Malformed:
    at = _day(row, options)
    weight = number(row.cells["weight"])
    if at is None:
        return Malformed(row.line, "field.day_of_collection")
    if weight is None or weight < 0:
        return Malformed(row.line, "field.weight")
    if not bin_name:
        return Malformed(row.line, "field.subject")
    material = MATERIALS.get(word, "")
    source, place = origin(options, _place(row), at)
    return Item(
        line=row.line,
        external_id=row_id("weighed", *row.cells.values(), f"{at:%Y-%m-%d}"),
        subject=f"zurich-{bin_name}",
        occurred_at=options.replay.told(at),
        evidence=Evidence.DOCUMENT_PROVED,
        inputs={"material": material, "weight": weight.quantize(GRAM, ROUND_FLOOR)},
        mode=f"recycling:{material}" if material else "recycling",
        source_occurred_at=source,
        place=place,
        not_eligible=_reason(word, material, weight),
    )


def _reason(word: str, material: str, weight: Decimal) -> str:
    if word in WASTE:
        return "material.not_recyclable"
    if not material:
        return "material.unknown"
    return "" if weight > 0 else "weight.zero"


def _day(row: Row, options: Options) -> datetime | None:
    text = row.cells.get("day_of_collection")
    if text is not None:
        return wall_clock(text, ZURICH)
    return None if options.day is None else datetime.combine(options.day, time(), ZURICH)


def _place(row: Row) -> str:
    where = (row.cells.get(name, "") for name in ("location", "area_id"))
    return next((f"{PLACE}, {text}" for text in where if text and text.upper() != "NA"), PLACE)


IMPORTER: Final = Importer(
    name="zurich-recycling",
    title_zh="回收物称重记录",
    title_en="Weighed recycling",
    place=PLACE,
    read=read,
)
