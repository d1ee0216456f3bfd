"""Which units may serve which purpose (用途护照的规则): values in, values out."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

PERMILLE = 1000


class UnitFacts(NamedTuple):
    """What a passport looks at of a batch."""

    methodology: str
    scenario: str
    field: str | None
    """Of its methodology; none, as the next, of one that no library has."""
    kind: str | None
    """``project`` or ``scenario``: what its methodology is of."""
    vintage: date


class UnitSort(NamedTuple):
    """A sort of units (减排量种类): those that agree with everything that it names."""

    field: str | None = None
    methodology: str | None = None
    scenario: str | None = None
    kind: str | None = None
    vintage_from: date | None = None
    """The first month; the last one, likewise inclusive, is `vintage_to`."""
    vintage_to: date | None = None

    def has(self, unit: UnitFacts) -> bool:
        """Say whether a unit is of this sort.

        >>> metro = UnitFacts("SZ-METRO", "metro", "green_travel", "scenario", date(2026, 3, 1))
        >>> UnitSort(field="green_travel", vintage_from=date(2026, 1, 1)).has(metro)
        True
        >>> UnitSort(kind="project").has(metro), UnitSort(vintage_to=date(2026, 2, 1)).has(metro)
        (False, False)
        """
        named = (
            (self.field, unit.field),
            (self.methodology, unit.methodology),
            (self.scenario, unit.scenario),
            (self.kind, unit.kind),
        )
        return (
            all(wanted in {None, found} for wanted, found in named)
            and (self.vintage_from is None or self.vintage_from <= unit.vintage)
            and (self.vintage_to is None or unit.vintage <= self.vintage_to)
        )


ANY: Sequence[UnitSort] = (UnitSort(),)
"""Every unit: all are of grade A, verified and issued."""


def may_serve(sorts: Sequence[UnitSort], unit: UnitFacts) -> bool:
    """Say whether a passport of these sorts has a unit; an empty one has none.

    >>> metro = UnitFacts("SZ-METRO", "metro", "green_travel", "scenario", date(2026, 3, 1))
    >>> may_serve(ANY, metro), may_serve((), metro)
    (True, False)
    """
    return any(sort.has(unit) for sort in sorts)


def surrender_most_kg(obligation_kg: int, ratio_permille: int) -> int:
    """Give how much of an obligation units may meet, rounded down.

    >>> surrender_most_kg(30_001, 50)
    1500
    """
    return obligation_kg * ratio_permille // PERMILLE
