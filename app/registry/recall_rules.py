"""In which order a recall falls on units (撤回次序): values in, values out.

What nobody bought is void first: the operator's own units, then the buffer's. Then what buyers hold
free, which is made up to them. The rest was used or is promised: its numbers stand in certificates
that cannot be taken back, so the buffer retires as many of its own units.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

MG_PER_KG = 1_000_000


class Turn(IntEnum):
    """Whose free units are void before whose."""

    OPERATOR = 0
    BUFFER = 1
    BUYER = 2


class Place(NamedTuple):
    """Free units of a batch with one owner."""

    turn: Turn
    owner: int
    """In the books; among buyers the one that was opened first comes first."""
    quantity_kg: int


class Fall(NamedTuple):
    """How a recall falls on the units of a batch."""

    void: Sequence[Place]
    """What becomes void of each place."""
    used_kg: int
    """What no free unit was left for."""


def fall_on(void_kg: int, places: Iterable[Place]) -> Fall:
    """Say which units become void.

    >>> fall_on(5, [Place(Turn.BUYER, 9, 4), Place(Turn.OPERATOR, 7, 2)]).void
    [Place(turn=<Turn.OPERATOR: 0>, owner=7, quantity_kg=2), Place(turn=<Turn.BUYER: 2>, owner=9, \
quantity_kg=3)]
    >>> fall_on(5, [Place(Turn.BUFFER, 9, 4)]).used_kg
    1
    """
    found: list[Place] = []
    for place in sorted(places):
        part = min(place.quantity_kg, void_kg)
        if part > 0:
            found.append(place._replace(quantity_kg=part))
            void_kg -= part
    return Fall(found, void_kg)


def kilograms_of(mg: int) -> int:
    """Give the units that milligrams which stand for nothing reach into, at the least.

    >>> kilograms_of(1_000_001)
    2
    """
    return -(-mg // MG_PER_KG)


def owed_of(first: int, last: int, *, cursor_kg: int, deficit_kg: int) -> int:
    """Say how many of units ``first`` to ``last`` nothing has replaced yet.

    A deficit lies on the units of its batch that were used last.

    >>> owed_of(3, 6, cursor_kg=8, deficit_kg=4)
    2
    """
    start = max(first, cursor_kg - deficit_kg + 1)
    return max(0, last - start + 1)
