"""The dated library of emission factors: ``factors/*.csv``, each value with unit, status, source.

A factor is chosen by purpose and not by region alone: Shanghai's grid average (0.5737) and its
emission-trading factor (0.42) are different series for different uses. A factor covers the days of
its data, from ``valid_from`` to ``valid_to``; an open end lasts until a successor is loaded.
Whole published tables, from which an inventory picks row by row, are in ``published``.
"""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Final

from .words import Status

FOLDER: Final = resources.files("methodologies") / "factors"
_COLUMNS: Final = (
    "id",
    "region",
    "purpose",
    "value",
    "unit",
    "valid_from",
    "valid_to",
    "status",
    "source",
    "note",
    "row",
)


class NoFactor(LookupError):  # noqa: N818 -- a state, as house.md §3.8 names them
    """No factor of that name serves that region, purpose and day."""

    code = "factor.not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One emission factor (排放因子)."""

    id: str
    region: str
    purpose: str
    value: Decimal
    unit: str
    valid_from: date
    valid_to: date | None
    status: Status
    source: str
    note: str
    components: tuple[tuple[str, str], ...]
    """What a derived value was computed from, as the file has it."""
    row: str
    """Its row in the published table, by that table's own identity; empty: none is named."""

    def covers(self, on: date) -> bool:
        """Whether the factor is for ``on``."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


def factor(id: str, *, region: str, purpose: str, on: date) -> Factor:  # noqa: A002 -- its name in the files
    """Find the one factor for a region, a purpose and a day.

    >>> factor("electricity.ets", region="CN-SH", purpose="ets", on=date(2026, 1, 1)).value
    Decimal('0.42')

    Raises:
        NoFactor: None fits; another region's or purpose's factor is never a stand-in.
    """
    for each in all_factors():
        if (each.id, each.region, each.purpose) == (id, region, purpose) and each.covers(on):
            return each
    raise NoFactor(f"{id} for {region}, {purpose}, {on}")


@cache
def all_factors() -> tuple[Factor, ...]:
    """Give every factor that ships, in the order of the files' names and lines."""
    names = sorted(each.name for each in FOLDER.iterdir() if each.name.endswith(".csv"))
    return tuple(each for name in names for each in factors_in(name))


def factors_in(file: str) -> tuple[Factor, ...]:
    """Give the factors of one file, in the order of its lines."""
    rows = csv.DictReader((FOLDER / file).read_text(encoding="utf-8").splitlines())
    return tuple(_factor(row) for row in rows)


def _factor(row: dict[str, str]) -> Factor:
    return Factor(
        id=row["id"],
        region=row["region"],
        purpose=row["purpose"],
        value=Decimal(row["value"]),
        unit=row["unit"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        status=Status(row["status"]),
        source=row["source"],
        note=row["note"],
        components=tuple((key, value) for key, value in row.items() if key not in _COLUMNS),
        row=row.get("row", ""),
    )
