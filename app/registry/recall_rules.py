"""In which order a recall falls on units (撤回次序): values in, values out.

What nobody bought is void first: the operator's own units, then the buffer's. Then what buyers hold
free, which is made up to them. What is held for something becomes void when it is given back. The
rest was used: its numbers stand in certificates that cannot be taken back, so the buffer retires as
many of its own units.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import IntEnum
from typing import NamedTuple, TypeVar

from ledger.assets import MG_PER_KG

Span = tuple[int, int]
"""Units of a batch, the last one included."""
T = TypeVar("T")


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
    left_kg: int
    """What no free unit was left for: it is used, or held for somebody."""


class Mark(NamedTuple):
    """Units that stand for nothing, and where their batch stood when that was found."""

    cursor_kg: int
    """They are the last ones that had serials then."""
    quantity_kg: int
    goes_on: bool
    """Whether those that no unit had a serial for then are the next ones that get one."""


def fall_on(void_kg: int, places: Iterable[Place]) -> Fall:
    """Say which units become void.

    >>> fall_on(5, [Place(Turn.BUYER, 9, 4), Place(Turn.OPERATOR, 7, 2)]).void
    [Place(turn=<Turn.OPERATOR: 0>, owner=7, quantity_kg=2), Place(turn=<Turn.BUYER: 2>, owner=9, \
quantity_kg=3)]
    >>> fall_on(5, [Place(Turn.BUFFER, 9, 4)]).left_kg
    1
    """
    placed = sorted(places)
    parts = spread(void_kg, [(place, place.quantity_kg) for place in placed])
    found = [place._replace(quantity_kg=kg) for place, kg in parts]
    return Fall(found, void_kg - sum(kg for _, kg in parts))


def spread(quantity_kg: int, over: Iterable[tuple[T, int]]) -> list[tuple[T, int]]:
    """Take so much from the first that have some.

    >>> spread(5, [("a", 2), ("b", 0), ("c", 9)])
    [('a', 2), ('c', 3)]
    """
    parts: list[tuple[T, int]] = []
    for whose, has in over:
        part = min(has, quantity_kg)
        quantity_kg -= part
        if part > 0:
            parts.append((whose, part))
    return parts


def kilograms_of(mg: int) -> int:
    """Give the units that milligrams which stand for nothing reach into, at the least.

    >>> kilograms_of(1_000_001)
    2
    """
    return -(-mg // MG_PER_KG)


def fallen_kg(days: Iterable[tuple[date, int, int]]) -> list[tuple[date, Mark]]:
    """Give the whole kilograms that milligrams of each day add up to: (day, mg, cursor that day).

    >>> [mark for _, mark in fallen_kg([(date(2026, 1, 1), 900_000, 4), (date(2026, 1, 2), \
1_200_000, 6)])]
    [Mark(cursor_kg=6, quantity_kg=2, goes_on=True)]
    """
    found: list[tuple[date, Mark]] = []
    total_mg = 0
    for day, mg, cursor_kg in days:
        kg = (total_mg + mg) // MG_PER_KG - total_mg // MG_PER_KG
        total_mg += mg
        if kg:
            found.append((day, Mark(cursor_kg, kg, goes_on=True)))
    return found


def owed_of(
    units: Span,
    marks: Iterable[Mark],
    *,
    replaced_kg: int,
    good: Iterable[Span],
    quantity_kg: int,
) -> int:
    """Say how many of some units of a batch nothing has replaced yet.

    What is found void lies on the units that were used last until then, and stays there whatever
    is used later. What replaced others (``good``) is left out. Replaced is the oldest mark first.

    >>> marks = [Mark(8, 4, goes_on=False), Mark(9, 2, goes_on=False)]
    >>> [owed_of((n, n), marks, replaced_kg=1, good=[(7, 7)], quantity_kg=12) for n in range(3, 11)]
    [1, 0, 1, 1, 0, 1, 1, 0]
    """
    free = _without([(1, quantity_kg)], good)
    owed = 0
    for mark in marks:
        before = [(start, min(end, mark.cursor_kg)) for start, end in free]
        behind = [(max(start, mark.cursor_kg + 1), end) for start, end in free]
        taken = [
            (end - kg + 1, end) for (_, end), kg in spread(mark.quantity_kg, _sized(before[::-1]))
        ]
        if mark.goes_on:
            rest_kg = mark.quantity_kg - sum(kg for _, kg in _sized(taken))
            taken += [(start, start + kg - 1) for (start, _), kg in spread(rest_kg, _sized(behind))]
        free = _without(free, taken)
        done = min(replaced_kg, mark.quantity_kg)
        replaced_kg -= done
        healed = [(start, start + kg - 1) for (start, _), kg in spread(done, _sized(sorted(taken)))]
        left = _without(taken, healed)
        owed += sum(kg for _, kg in _sized([_both(each, units) for each in left]))
    return owed


def _sized(spans: Iterable[Span]) -> list[tuple[Span, int]]:
    return [(span, max(0, span[1] - span[0] + 1)) for span in spans]


def _both(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _without(spans: Iterable[Span], gone: Iterable[Span]) -> list[Span]:
    """Cut spans out of others; gives what is left, in order."""
    left = [span for span, kg in _sized(spans) if kg]
    for first, last in gone:
        left = [
            part
            for start, end in left
            for part in ((start, min(end, first - 1)), (max(start, last + 1), end))
            if part[0] <= part[1]
        ]
    return sorted(left)
