"""Lines of an inventory (清单条目): what an amount emits by a published row, or why not.

emissions [mg CO2e] = quantity x factor, exact, rounded up once: an inventory errs on the side of
the atmosphere. Purchased electricity has the newest grid factor of the gathering's own province
that is not younger than its year; what is published for no Chinese use is taken from the United
Kingdom's table and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from app.kernel.ids import public_id
from app.neutrality.categories import Category, category_of
from app.neutrality.gathering_errors import (
    FactorForeign,
    FactorMissing,
    FactorUnusable,
    InventoryIncomplete,
    QuantityUnlikely,
    TierUnfit,
    UnitUnfit,
)
from app.neutrality.gatherings import Gathering
from app.neutrality.thresholds import NATION, province_of
from methodologies.published import (
    CN_GRID,
    BadUnit,
    FactorRow,
    NoRow,
    RowUnusable,
    emission_mg,
    factor_row,
    rows_of,
)

LINE: Final = "lin"
LINE_MG_MAX: Final = 10**13
"""10,000 t; so that the sum of a whole inventory is exact in every reader of JSON."""
LINES_MAX: Final = 500
AVERAGE: Final = "electricity.average"

Origin = Literal["entered", "table", "survey"]


class Stage(StrEnum):
    """What an inventory is of."""

    EXPECTED = "expected"
    """预计: before; the plan's."""
    ACTUAL = "actual"
    """实际: after; the statement's."""


class Tier(StrEnum):
    """How well a quantity is known (数据等级), best first."""

    MEASURED = "measured"
    """实测: by a meter, a bill, a scale, a survey; its evidence is named."""
    ESTIMATED = "estimated"
    """估算: computed from something else, which the note says."""
    DEFAULT = "default"
    """缺省: an assumption where nothing is known of this gathering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody says was used: an amount, and the row that tells what it emits."""

    category: Category
    label: str
    quantity: Decimal
    unit: str
    table: str
    row: str
    tier: Tier
    evidence: bytes | None = None
    """SHA-256 of what the organiser keeps and can show."""
    note: str = ""

    @property
    def amount(self) -> str:
        """The quantity in its shortest form."""
        return format(self.quantity.normalize(), "f")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry and its factor, which fit one another."""

    id: UUID
    stage: Stage
    origin: Origin
    entry: Entry
    factor: FactorRow

    @property
    def emissions_mg(self) -> int:
        """What it emits [mg CO2e]."""
        return emission_mg(self.factor, self.entry.quantity, self.entry.unit)

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(LINE, self.id)


def line_of(gathering: Gathering, stage: Stage, origin: Origin, id_: UUID, entry: Entry) -> Line:
    """Make a line of an entry that can be computed.

    Raises:
        FactorMissing, FactorUnusable, FactorForeign, UnitUnfit, QuantityUnlikely, TierUnfit: See
            their own words.
    """
    measured = entry.tier is Tier.MEASURED
    if measured and (stage is Stage.EXPECTED or entry.evidence is None):
        raise TierUnfit(tier=entry.tier.value)
    line = Line(id_, stage, origin, entry, fitting(gathering, entry))
    try:
        mg = line.emissions_mg
    except BadUnit:
        raise UnitUnfit(unit=entry.unit, factor=line.factor.published_unit) from None
    if not entry.quantity > 0 or mg > LINE_MG_MAX:
        raise QuantityUnlikely(co2e_mg=mg)
    return line


def fitting(gathering: Gathering, entry: Entry) -> FactorRow:
    """Give the row that an entry names, if it is of its category and, if need be, place.

    Raises:
        FactorMissing, FactorUnusable, FactorForeign: See their own words.
    """
    named = {"table": entry.table, "row": entry.row}
    try:
        found = factor_row(entry.table, entry.row)
    except NoRow:
        raise FactorMissing(**named) from None
    except RowUnusable as error:
        raise FactorUnusable(**named, reason=str(error).rpartition(": ")[2]) from None
    belongs = category_of(found)
    if belongs is not entry.category:
        raise FactorForeign(**named, category=belongs.value if belongs else "none")
    if found.table == CN_GRID:
        grid = grid_row(gathering.occasion.district, gathering.occasion.starts_on)
        if found != grid:
            raise FactorForeign(**named, row_of_the_place=grid.id)
    return found


def grid_row(district: str, on: date) -> FactorRow:
    """Give the grid's average factor for electricity bought at a place on a day.

    >>> grid_row("310115", date(2026, 11, 8)).id, grid_row("310115", date(2022, 5, 1)).id
    ('上海/2023', '上海/2022')
    >>> grid_row("540100", date(2026, 11, 8)).id
    '全国/2023'
    """
    averages = [each for each in rows_of(CN_GRID).values() if each.names[0] == AVERAGE]
    of_place = [each for each in averages if each.region == province_of(district)]
    years = of_place or [each for each in averages if each.region == NATION]
    past = [each for each in years if each.year <= on.year]
    return max(past, key=_year) if past else min(years, key=_year)


def default_of(factor: FactorRow) -> str | None:
    """Say of a factor from elsewhere that it stands in for one; none of a Chinese one.

    >>> default_of(factor_row("desnz-2025", "25_315_3147_11_1"))
    'GB default: stands in for a Chinese figure'
    """
    if factor.region.startswith(NATION):
        return None
    return f"{factor.region} default: stands in for a Chinese figure"


def check_complete(lines: Iterable[Line], exclusions: Mapping[Category, str]) -> None:
    """Hold an inventory to completeness: of every category a line, or a reason why there is none.

    Raises:
        InventoryIncomplete: A category has neither, or both.
    """
    counted = {line.entry.category for line in lines}
    lacking = [each.value for each in Category if each not in counted | exclusions.keys()]
    doubled = [each.value for each in Category if each in counted & exclusions.keys()]
    if lacking or doubled:
        raise InventoryIncomplete(lacking=", ".join(lacking), doubled=", ".join(doubled))


def totals(lines: Sequence[Line]) -> Mapping[Category, int]:
    """Add up what each category emits [mg]."""
    return {
        category: sum(each.emissions_mg for each in lines if each.entry.category is category)
        for category in Category
    }


def _year(row: FactorRow) -> int:
    return row.year
