"""What an inventory counts (排放类别): six categories, and which published rows belong to which.

A factor is chosen by purpose and not by region alone: a row of another category is refused, so that
British electricity or hotels, an emission-trading factor or a reduction never stands in a Chinese
inventory.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from methodologies.published import CN_FUELS, CN_GRID, FactorRow


class Category(StrEnum):
    """What emits (domain.md §8; annex of the ministry's guide, 公告2019年第19号)."""

    FUEL = "fuel"
    """化石燃料燃烧: boilers, generators, gas cookers, official cars."""
    ENERGY = "energy"
    """净购入电力、热力: of venues, offices and electric official cars."""
    TRANSPORT = "transport"
    """交通: of organisers and participants."""
    ROOMS_MEALS = "rooms_meals"
    """住宿餐饮."""
    MATERIALS = "materials"
    """会议用品隐含: what is bought, and its carriage."""
    WASTE = "waste"
    """废弃物处理: waste and waste water."""


_TABLES: Final[Mapping[str, Category]] = MappingProxyType(
    {CN_GRID: Category.ENERGY, CN_FUELS: Category.FUEL}
)
_PREFIXES: Final[tuple[tuple[tuple[str, ...], Category], ...]] = (
    (("Fuels",), Category.FUEL),
    (("WTT- fuels",), Category.FUEL),
    (("Bioenergy",), Category.FUEL),
    (("WTT- bioenergy",), Category.FUEL),
    (("Passenger vehicles",), Category.FUEL),
    (("Delivery vehicles",), Category.FUEL),
    (("Heat and steam",), Category.ENERGY),
    (("Transmission and distribution", "Distribution - district heat & steam"), Category.ENERGY),
    (("WTT- heat and steam",), Category.ENERGY),
    (("Business travel- air",), Category.TRANSPORT),
    (("WTT- business travel- air",), Category.TRANSPORT),
    (("Business travel- sea",), Category.TRANSPORT),
    (("WTT- business travel- sea",), Category.TRANSPORT),
    (("Business travel- land",), Category.TRANSPORT),
    (("WTT- pass vehs & travel- land",), Category.TRANSPORT),
    (("Hotel stay", "Hotel stay", "China"), Category.ROOMS_MEALS),
    (("Material use", "Other", "Food and drink"), Category.ROOMS_MEALS),
    (("Material use",), Category.MATERIALS),
    (("Freighting goods",), Category.MATERIALS),
    (("WTT- delivery vehs & freight",), Category.MATERIALS),
    (("Water supply",), Category.MATERIALS),
    (("Waste disposal",), Category.WASTE),
    (("Water treatment",), Category.WASTE),
)
"""Of DESNZ's headings below the scope; the first that fits decides."""


_PASSED_OVER: Final = frozenset(
    {
        "Battery Electric Vehicle",
        "Plug-in Hybrid Electric Vehicle",
        "Without RF",
        "International rail",
    }
)
"""Vehicles whose figure holds British electricity: their kilowatt-hours are energy, by the grid
that gave them. Flights without what they do to the sky besides: the whole is beside it. Trains
under the Channel, an eighth of any other: none runs here."""
ENERGY_RECOVERY: Final = "Incineration with Energy Recovery"
_RAIL: Final = frozenset({"Rail", "WTT- rail"})


def understates(row: FactorRow) -> str | None:
    """Say of a row that may be less than what is emitted here, why; none of the others.

    >>> from methodologies.published import factor_row
    >>> understates(factor_row("cn-fuels", "fuel.diesel"))
    'CO2 alone: methane and nitrous oxide are not in it.'
    """
    if row.table in _TABLES:
        return "CO2 alone: methane and nitrous oxide are not in it."
    if _RAIL.intersection(row.names):
        return (
            "Trains of British power: a Chinese metro or high-speed train may emit up to three"
            " times as much."
        )
    if row.names[1:2] == ("Waste disposal",) and row.names[-1] == ENERGY_RECOVERY:
        return "Waste burned for energy: what burning emits is the power plant's, and not in it."
    return None


def category_of(row: FactorRow) -> Category | None:
    """Say which category a row belongs to; none: it serves no inventory.

    >>> from methodologies.published import factor_row
    >>> category_of(factor_row("desnz-2025", "29_600_4009_13_1"))
    <Category.ROOMS_MEALS: 'rooms_meals'>
    """
    if row.table in _TABLES:
        return _TABLES[row.table]
    if row.names[-1] in _PASSED_OVER:
        return None
    headings = row.names[1:]
    return next((each for start, each in _PREFIXES if headings[: len(start)] == start), None)
