"""Published tables of emission factors, row by row (已发布的排放因子表): what an inventory names.

A row is found by its table's own identity, so that whoever has the publication finds the same
number. Nothing here is ours: a row without a value is refused, as are a part of a gas, a biogenic
memo item and a zero that says "counted elsewhere". Emissions are exact and rounded up, once, to a
milligram: an inventory errs on the side of the atmosphere.
"""

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from math import ceil
from types import MappingProxyType
from typing import Final

from .factors import FOLDER, Factor, factors_in
from .units import CO2E_MG, UnknownUnit, conversion, parse_unit
from .words import Status

DESNZ: Final = "desnz-2025"
CN_GRID: Final = "cn-grid"
CN_FUELS: Final = "cn-fuels"
OGL: Final = (
    "Open Government Licence v3.0: "
    "Contains public sector information licensed under the Open Government Licence v3.0."
)


@dataclass(frozen=True, slots=True)
class FactorTable:
    """A table that somebody published (因子表)."""

    id: str
    title: str
    licence: str
    identity: str
    """What names a row."""
    file: str
    """Below ``factors/``."""


TABLES: Final[Mapping[str, FactorTable]] = MappingProxyType(
    {
        each.id: each
        for each in (
            FactorTable(
                DESNZ,
                "UK DESNZ, Greenhouse gas reporting: conversion factors 2025, flat format",
                OGL,
                "column ID",
                "published/desnz_2025_flat.csv.gz",
            ),
            FactorTable(
                CN_GRID,
                "CO2 emission factors of electricity 2021-2023 (生态环境部、国家统计局)",
                "government figures",
                "region/data year",
                "cn_grid_electricity.csv",
            ),
            FactorTable(
                CN_FUELS,
                "Fuels by the sector guides of NDRC and MEE: NCV, carbon content, oxidation (CO2)",
                "facts",
                "fuel",
                "cn_fuels.csv",
            ),
        )
    }
)


class NoRow(LookupError):  # noqa: N818 -- a state, as house.md §3.8 names them
    """The table has no such row."""

    code = "factor.row_unknown"


class RowUnusable(LookupError):  # noqa: N818 -- likewise
    """The row is there, and is no factor of the whole emission; its text says why."""

    code = "factor.row_unusable"


class BadUnit(ValueError):  # noqa: N818 -- likewise
    """The amount is not of what the factor counts."""

    code = "factor.unit_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRow:
    """One row of a published table (因子行)."""

    table: str
    id: str
    names: tuple[str, ...]
    """Its headings, from the widest to the narrowest, as published."""
    value: Decimal
    unit: str
    published_unit: str
    region: str
    """ISO 3166 where the table has a place of that form; what it says otherwise."""
    year: int
    """Of the edition, or of the data where rows differ."""
    status: Status
    source: str
    note: str
    """What was done to the figure, if it is not as published; which of several it is."""


_UNITS: Final = MappingProxyType(
    {
        "tonnes": "t",
        "kg": "kg",
        "litres": "L",
        "cubic metres": "m3",
        "kWh": "kWh",
        "kWh (Net CV)": "kWh",
        "kWh (Gross CV)": "kWh",
        "GJ": "GJ",
        "km": "km",
        "passenger.km": "pkm",
        "tonne.km": "(t*km)",
        "Room per night": "(room*night)",
    }
)
"""DESNZ's words for what a factor is per; in others (miles, working hours) it repeats itself."""
_WHOLE: Final = "kg CO2e"
_MEMO: Final = "Outside of Scopes"
_HEADINGS: Final = ("Scope", "Level 1", "Level 2", "Level 3", "Level 4", "Column Text")
_HOTELS: Final = "Hotel stay"
_COUNTRIES: Final = MappingProxyType({"China": "CN", "UK": "GB", "UK (London)": "GB"})


def factor_row(table: str, row: str) -> FactorRow:
    """Give a row that can be multiplied with.

    >>> factor_row("cn-grid", "上海/2023").value
    Decimal('0.5737')
    >>> factor_row("desnz-2025", "29_600_4009_13_1").names[-1]
    'China'

    Raises:
        NoRow: The table, or the row, is not there.
        RowUnusable: It has no value, or is not the whole of an emission.
    """
    found = rows_of(table).get(row)
    if found is None:
        reason = _unusable().get(row) if table == DESNZ else None
        if reason is None:
            raise NoRow(f"{table}: {row}")
        raise RowUnusable(f"{table}: {row}: {reason}")
    return found


def emission_mg(row: FactorRow, quantity: Decimal, unit: str) -> int:
    """Compute what an amount emits [mg CO2e]: exact, then rounded up.

    >>> emission_mg(factor_row("cn-grid", "上海/2023"), Decimal("1"), "kWh")
    573700
    >>> emission_mg(factor_row("desnz-2025", "20_507_5313_15_1"), Decimal("1"), "kg")
    520533

    Raises:
        BadUnit: The unit is unknown, or of another dimension than the factor's.
    """
    try:
        product = parse_unit(unit) * parse_unit(row.unit)
    except UnknownUnit as error:
        raise BadUnit(str(error)) from None
    if not product.has_dimension_of(CO2E_MG):
        raise BadUnit(f"{unit} is not what {row.published_unit} counts")
    return ceil(Fraction(quantity) * Fraction(row.value) * conversion(product, CO2E_MG))


@cache
def rows_of(table: str) -> Mapping[str, FactorRow]:
    """Give every row of a table that can be multiplied with, by its identity.

    Raises:
        NoRow: There is no such table.
    """
    if table == DESNZ:
        told = ((line["ID"], line) for line in _lines() if line["ID"] not in _unusable())
        found = [_desnz(id_, line) for id_, line in told]
    elif table in TABLES:
        found = [_own(table, each) for each in factors_in(TABLES[table].file)]
    else:
        raise NoRow(table)
    return MappingProxyType({each.id: each for each in found})


@cache
def table_bytes(table: str) -> bytes:
    """Give a table's file, byte for byte: DESNZ's as it was published, the others as we wrote them.

    Raises:
        KeyError: There is no such table.
    """
    packed = (FOLDER / TABLES[table].file).read_bytes()
    return gzip.decompress(packed) if TABLES[table].file.endswith(".gz") else packed


@cache
def _lines() -> tuple[dict[str, str], ...]:
    return tuple(csv.DictReader(table_bytes(DESNZ).decode("utf-8-sig").splitlines()))


@cache
def _unusable() -> Mapping[str, str]:
    """Say of each row that is no factor why, by its ID."""
    reasons = ((line["ID"], _fault(line)) for line in _lines())
    return MappingProxyType({id_: reason for id_, reason in reasons if reason})


def _fault(line: dict[str, str]) -> str:
    if line["Scope"] == _MEMO:
        return "a memo item outside of the scopes"
    if line["GHG/Unit"] != _WHOLE:
        return "one gas, or energy, and not the whole emission"
    if line["UOM"] not in _UNITS:
        return f"per {line['UOM']}, which is told in another row or not used here"
    if not line["GHG Conversion Factor 2025"]:
        return "the publication has no value"
    if Decimal(line["GHG Conversion Factor 2025"]) == 0:
        return "zero: its emission is counted where the energy is"
    return ""


def _desnz(id_: str, line: dict[str, str]) -> FactorRow:
    names = tuple(line[each] for each in _HEADINGS if line[each])
    region = _COUNTRIES.get(names[-1], names[-1]) if line["Level 1"] == _HOTELS else "GB"
    return FactorRow(
        table=DESNZ,
        id=id_,
        names=names,
        value=Decimal(line["GHG Conversion Factor 2025"]),
        unit=f"kgCO2e/{_UNITS[line['UOM']]}",
        published_unit=f"kg CO2e / {line['UOM']}",
        region=region,
        year=2025,
        status=Status.PUBLISHED,
        source=TABLES[DESNZ].title,
        note="as published",
    )


def _own(table: str, factor: Factor) -> FactorRow:
    """Give a factor of our library as the row of the table that it was taken from."""
    return FactorRow(
        table=table,
        id=factor.row or factor.id,
        names=(factor.id, factor.row.partition("/")[0]) if factor.row else (factor.id,),
        value=factor.value,
        unit=factor.unit,
        published_unit=factor.unit,
        region=factor.region,
        year=factor.valid_from.year,
        status=factor.status,
        source=factor.source,
        note=factor.note,
    )
