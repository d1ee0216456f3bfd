"""The generator of the marathon in docs/neutrality.md (文档生成): computed by this tree.

``python docs/marathon.py`` writes what follows the page's last heading; with ``--check`` it writes
nothing and exits 1 where the page differs. The lines are those of app/demo_data/model_marathon.csv.
"""  # noqa: INP001 -- a folder of documents, not a package

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Final
from uuid import UUID

from app.kernel.ids import new_id
from app.neutrality.gatherings import Gathering, Occasion
from app.neutrality.imports import TableKind, understood
from app.neutrality.inventory_rules import Line, Stage, default_of, totals
from app.neutrality.thresholds import GatheringKind, Size, is_voluntary, policy_of

PAGE: Final = Path(__file__).parent / "neutrality.md"
HEADING: Final = "## A marathon, counted 一场马拉松\n"
PUBLISHED_T: Final = Decimal("3030.22")
"""The Wuhan marathon of 2025, verified [t CO2e]."""
MG_PER_T: Final = 10**9
RUNNERS: Final = 40_000
PEOPLE: Final = 48_000
DISTRICT: Final = "420106"

INTRODUCTION: Final = f"""
A model of a city marathon at Wuhan's size, computed by this tree from
`app/demo_data/model_marathon.csv`: every quantity is an assumption that its note states, none is
Wuhan's, and none was fitted to the published total. {RUNNERS:,} runners, of whom 15,000 come from
elsewhere (5,000 by air, 10,000 by train) and move in the city as the others do, and 8,000
volunteers and staff; electricity of Hubei.
"""


def marathon() -> Gathering:
    """Give a marathon of that size."""
    on, size = date(2026, 4, 12), Size(PEOPLE)
    kind, policy = GatheringKind.COMPETITION, policy_of(DISTRICT)
    occasion = Occasion(kind, "示例马拉松", "Model marathon", size, on, on, DISTRICT, "武汉")
    voluntary = is_voluntary(policy, kind, size)
    nobody, opened_at = UUID(int=0), datetime(2026, 1, 1, tzinfo=UTC)
    return Gathering(nobody, 65_536, nobody, occasion, policy.code, voluntary, opened_at)


def lines() -> Sequence[Line]:
    """Compute the model's lines."""
    data = files("app").joinpath("demo_data", "model_marathon.csv").read_bytes()
    read = understood(TableKind.SUPPLIERS, data, marathon(), Stage.EXPECTED, new_id)
    assert not any(row.faults for row in read.rows), read.rows
    return read.lines


def section() -> str:
    """Write what follows the heading."""
    counted = lines()
    total_mg = sum(line.emissions_mg for line in counted)
    parts = (INTRODUCTION, _categories(counted, total_mg), _compared(counted, total_mg))
    return "\n".join((*parts, _table(counted)))


def page() -> str:
    """Write the page anew."""
    written, heading, _ = PAGE.read_text(encoding="utf-8").partition(HEADING)
    assert heading, PAGE
    return written + heading + section()


def _categories(counted: Sequence[Line], total_mg: int) -> str:
    rows = [
        f"| {category.value} | {tonnes(mg)} | {Decimal(100 * mg) / total_mg:.1f} % |"
        for category, mg in totals(counted).items()
    ]
    head = ["| category | t CO2e | share |", "| --- | ---: | ---: |"]
    return "\n".join(
        [*head, *rows, f"| **all, {len(counted)} lines** | **{tonnes(total_mg)}** | |", ""]
    )


def _compared(counted: Sequence[Line], total_mg: int) -> str:
    air_mg = sum(line.emissions_mg for line in counted if "by air" in line.entry.label)
    half, twice = total_mg - air_mg // 2, total_mg + air_mg
    ratio = Decimal(total_mg) / MG_PER_T / PUBLISHED_T
    return f"""\
Published for the Wuhan marathon of 2025: **{PUBLISHED_T:,} t CO2e**, verified, without parts or
boundary. The model is {ratio:.2f} times that: of one order of magnitude, which is all that this
comparison can show. Air travel decides: with half as many kilometres flown the model emits
{tonnes(half)} t, with twice as many {tonnes(twice)} t. What is not in it: production of vehicles
and buildings, refrigerants, spectators who would have been in the city anyhow, broadcasts at home.
"""


def _table(counted: Iterable[Line]) -> str:
    head = [
        "| | what, and the assumption | quantity | table: row | factor | kg CO2e | stands in |",
        "| --- | --- | ---: | --- | ---: | ---: | --- |",
    ]
    return "\n".join([*head, *map(_row, counted), ""])


def _row(line: Line) -> str:
    entry, factor = line.entry, line.factor
    cells = (
        entry.category.value,
        f"{entry.label}: {entry.note}",
        f"{entry.quantity:,f} {entry.unit.replace('*', '·')}",
        f"{factor.table}: `{factor.id}`",
        f"{factor.value.normalize():f} {factor.published_unit}",
        f"{Decimal(line.emissions_mg) / 10**6:,.3f}",
        factor.region if default_of(factor) else "",
    )
    return f"| {' | '.join(cells)} |"


def tonnes(mg: int) -> str:
    """Write a mass in tonnes.

    >>> tonnes(3_447_489_931_008)
    '3,447.49'
    """
    return f"{Decimal(mg) / MG_PER_T:,.2f}"


def main() -> int:
    """Write the page, or say that it is not what this tree computes."""
    fresh = page()
    if "--check" not in sys.argv:
        PAGE.write_text(fresh, encoding="utf-8")
        return 0
    if fresh == PAGE.read_text(encoding="utf-8"):
        return 0
    sys.stderr.write(f"{PAGE.name} is not what this tree computes: python docs/marathon.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
