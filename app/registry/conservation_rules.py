"""When units are conserved (守恒判定): values in, values out."""

from collections.abc import Iterable
from typing import NamedTuple


class UnitsOfBatch(NamedTuple):
    """Where the units of a batch are [kg]."""

    issued_kg: int
    available_kg: int
    """Free, with organisations and gatherings."""
    reserved_kg: int
    """Held by them, for something."""
    buffer_kg: int
    retired_kg: int
    cancelled_kg: int
    """Retired for the public benefit, which nobody counts for itself."""
    invalidated_kg: int


class ChainUnits(NamedTuple):
    """What the contract has in all, at a final block [kg]."""

    block: int
    issued_kg: int
    retired_kg: int
    """For whatever purpose."""
    invalidated_kg: int


class Promises(NamedTuple):
    """A programme's points against its money."""

    programme: str
    budget_fen: int
    """What the ledger says that its budget holds."""
    unpromised_fen: int
    promised_fen: int
    outstanding_points: int
    """As they were last counted."""

    @property
    def gap_fen(self) -> int:
        """What is promised and free, less what is there: 0 (R27)."""
        return self.unpromised_fen + self.promised_fen - self.budget_fen


def gap_kg(units: UnitsOfBatch) -> int:
    """Give issued units that are nowhere, or, below zero, units that nobody issued.

    >>> gap_kg(UnitsOfBatch(10, 3, 2, 1, 2, 1, 1))
    0
    """
    return units.issued_kg - sum(units[1:])


def total_of(units: Iterable[UnitsOfBatch]) -> UnitsOfBatch:
    """Add batches up.

    >>> total_of([UnitsOfBatch(2, 1, 1, 0, 0, 0, 0), UnitsOfBatch(3, 0, 0, 0, 3, 0, 0)]).issued_kg
    5
    """
    return UnitsOfBatch(*map(sum, zip(*units, UnitsOfBatch(*[0] * 7), strict=True)))


def lags(total: UnitsOfBatch, chain: ChainUnits) -> bool:
    """Say whether the chain has no more than the registry of anything; less, it is about to hear.

    >>> lags(UnitsOfBatch(10, 8, 0, 0, 1, 1, 0), ChainUnits(7, 10, 1, 0))
    True
    >>> lags(UnitsOfBatch(10, 8, 0, 0, 1, 1, 0), ChainUnits(7, 10, 3, 0))
    False
    """
    used = total.retired_kg + total.cancelled_kg
    return (
        chain.issued_kg <= total.issued_kg
        and chain.retired_kg <= used
        and chain.invalidated_kg <= total.invalidated_kg
    )
