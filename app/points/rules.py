"""What points are worth and owe (积分规则): pure; whole points, milligrams and fen.

A point is earned for every whole ``mg_per_point``, class by class; what is left over stays a
reduction (R27). Points owed after a correction are those granted less those that the remaining
milligrams would have earned (R6).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

PERMILLE = 1000


class Line(NamedTuple):
    """What an exchange took of one class, as far as no correction took it back."""

    exchange: UUID
    recorded_on: date
    programme: int
    asset: int
    """The class of the points that it granted."""
    mg_per_point: int
    left_mg: int


class Recovered(NamedTuple):
    """What a correction takes back of one exchange, and the points that it then owes."""

    line: Line
    mg: int
    points: int


class Lot(NamedTuple):
    """Spendable points of one class."""

    asset: int
    expires: date
    points: int


class Use(NamedTuple):
    """What became of a sponsor's money [fen]; the rest of it is unpromised."""

    settled_fen: int
    """Merchants were paid for points that were spent."""
    promised_fen: int
    """Points may claim it."""


def points_for(mg: int, mg_per_point: int) -> int:
    """Give the whole points of some milligrams.

    >>> points_for(29_999, 10_000)
    2
    """
    return mg // mg_per_point


def expiry_of(day: date, years: int) -> date:
    """Give the last day of points earned on a day.

    >>> expiry_of(date(2026, 3, 1), 1)
    datetime.date(2027, 12, 31)
    """
    return date(day.year + years, 12, 31)


def recovered(lines: Sequence[Line], mg: int) -> Iterator[Recovered]:
    """Take ``mg`` back of exchanges, the latest first, and say what each then owes.

    >>> line = Line(UUID(int=7), date(2026, 1, 1), 1, 11, 10_000, 30_000)
    >>> [(each.mg, each.points) for each in recovered([line], 5_000)]
    [(5000, 1)]
    """
    for line in sorted(lines, key=lambda each: each.exchange, reverse=True):
        part = min(mg, line.left_mg)
        if part > 0:
            mg -= part
            before = points_for(line.left_mg, line.mg_per_point)
            after = points_for(line.left_mg - part, line.mg_per_point)
            yield Recovered(line, part, before - after)


def taken_from(lots: Iterable[Lot], points: int, granted: int | None) -> Iterator[tuple[int, int]]:
    """Take ``points`` back: (class, points) pairs; they may come to less than was asked.

    First of the class that was granted for nothing, then the earliest to expire. So the owner is
    left with what they would hold had the grant never been: spending takes the earliest first, and
    would then have taken the next ones instead.

    >>> lots = [Lot(3, date(2027, 12, 31), 5), Lot(11, date(2028, 12, 31), 5)]
    >>> list(taken_from(lots, 7, 11))
    [(11, 5), (3, 2)]
    """
    for lot in sorted(lots, key=lambda each: (each.asset != granted, each.expires, each.asset)):
        part = min(points, lot.points)
        if part > 0:
            points -= part
            yield lot.asset, part


def capped(cap: int | None, points: int) -> int:
    """Give what a cap leaves of a sum.

    >>> capped(None, 5), capped(4, 5)
    (5, 4)
    """
    return points if cap is None else min(cap, points)


def shares(asked: Sequence[int], available: int) -> list[bool]:
    """Say which of some demands are met in full, in their order, until nothing fits.

    >>> shares([5, 5, 2], 7)
    [True, False, True]
    """
    met: list[bool] = []
    for each in asked:
        fits = each <= available
        available -= each if fits else 0
        met.append(fits)
    return met


def solvency_permille(funds_fen: int, promised_fen: int) -> int | None:
    """Give the funds for every 1,000 fen that points out there may claim; none while none may.

    >>> solvency_permille(2_100, 2_000), solvency_permille(5, 0)
    (1050, None)
    """
    return None if promised_fen == 0 else funds_fen * PERMILLE // promised_fen


def is_below(solvency: int | None, permille: int) -> bool:
    """Say whether a programme's funds have fallen below one of its marks.

    >>> is_below(1049, 1050), is_below(None, 1050)
    (True, False)
    """
    return solvency is not None and solvency < permille


def used_first(fundings: Sequence[int], settled_fen: int, promised_fen: int) -> list[Use]:
    """Say what became of each funding, in order of payment: the oldest money goes first.

    >>> used_first([100, 50], 120, 20)
    [Use(settled_fen=100, promised_fen=0), Use(settled_fen=20, promised_fen=20)]
    """
    uses: list[Use] = []
    for fen in fundings:
        settled = min(fen, settled_fen)
        promised = min(fen - settled, promised_fen)
        settled_fen -= settled
        promised_fen -= promised
        uses.append(Use(settled, promised))
    return uses
