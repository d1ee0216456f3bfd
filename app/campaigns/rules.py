"""What a quarter would have promised (推演规则): its facts under other terms; pure, moves nothing.

An exchange's fact is what it took of a class: whole points' worth at the rate of its day. Under
another rate the same milligrams come to other points, and what is left over waits in that class
for the next exchange, as it does in the programme; under its own rate nothing is left over, so the
replay of the present terms gives what was granted, to the point. A behaviour's fact is how many
acts of a day count: points up to the person's cap of the day, then up to the budget's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple


class Taken(NamedTuple):
    """What one exchange took of one class."""

    owner: int
    asset: int
    day: date
    mg: int
    points: int
    """Which it granted for that."""


class Acted(NamedTuple):
    """Acts of a behaviour that count, of one person and day, told on one day."""

    owner: int
    methodology: str
    day: date
    recorded_on: date
    acts: int


class Terms(NamedTuple):
    """What an act of a behaviour earns, and the caps."""

    points: int
    person_day_points: int | None
    budget_day_points: int | None


class Sum(NamedTuple):
    """Points of one cell, and of how many people they are."""

    persons: int
    simulated: int
    actual: int


class Mark(NamedTuple):
    """Where a programme stands after a day of the quarter's promises."""

    day: date
    promised_fen: int
    solvency_permille: int | None


def exchanged(
    takings: Iterable[Taken], rate_of: Callable[[Taken], int | None]
) -> Iterator[tuple[Taken, int]]:
    """Give what each exchange would have granted; of a person and class in their order.

    >>> day = date(2026, 7, 1)
    >>> own = [Taken(8, 1, day, 20_000, 2), Taken(8, 1, day, 10_000, 1)]
    >>> [points for _, points in exchanged(own, lambda taken: 15_000)]
    [1, 1]
    """
    left: dict[tuple[int, int], int] = defaultdict(int)
    for each in takings:
        held = left[each.owner, each.asset] + each.mg
        rate = rate_of(each)
        points = held // rate if rate else 0
        left[each.owner, each.asset] = held - points * (rate or 0)
        yield each, points


def rewarded(
    acts: Iterable[Acted], terms_of: Callable[[str, date], Terms | None]
) -> Iterator[tuple[Acted, int]]:
    """Give what acts would have earned under the person's cap of their day; in order of telling.

    >>> act = Acted(8, "BAG", date(2026, 7, 1), date(2026, 7, 2), 3)
    >>> [points for _, points in rewarded([act, act], lambda code, day: Terms(5, 20, None))]
    [15, 5]
    """
    worth: dict[tuple[int, str, date], int] = defaultdict(int)
    for each in acts:
        terms = terms_of(each.methodology, each.day)
        if terms is None:
            yield each, 0
            continue
        place = (each.owner, each.methodology, each.day)
        before = worth[place]
        worth[place] += each.acts * terms.points
        cap = terms.person_day_points
        yield each, _capped(cap, worth[place]) - _capped(cap, before)


def cut_by_budget(told: Mapping[date, int], terms: Terms) -> dict[date, int]:
    """Say what the budget's cap takes from one day of telling, by day of acts, the latest first.

    Whole acts fit or do not, so a day that is cut ends at a multiple of an act's points.

    >>> cut_by_budget({date(2026, 7, 1): 10, date(2026, 7, 2): 10}, Terms(5, None, 12))
    {datetime.date(2026, 7, 2): 10}
    """
    cap, total = terms.budget_day_points, sum(told.values())
    if cap is None or total <= cap:
        return {}
    over, cut = total - cap + cap % terms.points, dict[date, int]()
    for day in sorted(told, reverse=True):
        if part := min(over, told[day]):
            cut[day] = part
            over -= part
    return cut


def path(by_day: Mapping[date, int], funds_fen: int, promised_fen: int) -> list[Mark]:
    """Say where a programme would stand if the quarter came again, and nothing were paid in or out.

    >>> [mark.solvency_permille for mark in path({date(2026, 7, 1): 50}, 120, 50)]
    [1200]
    """
    marks: list[Mark] = []
    for day in sorted(by_day):
        promised_fen += by_day[day]
        solvency = funds_fen * 1000 // promised_fen if promised_fen else None
        marks.append(Mark(day, promised_fen, solvency))
    return marks


def first_below(marks: Sequence[Mark], permille: int) -> date | None:
    """Give the first day that ends with less than so many fen of funds a thousand of promises."""
    below = (
        mark.day
        for mark in marks
        if mark.solvency_permille is not None and mark.solvency_permille < permille
    )
    return next(below, None)


def of_crowds(
    cells: Mapping[tuple[str, ...], Sum], crowd_min: int
) -> tuple[dict[tuple[str, ...], Sum], Sum]:
    """Tell cells of crowds apart, and all others together, so that none points at few people.

    >>> few, many = Sum(2, 5, 5), Sum(9, 50, 40)
    >>> of_crowds({("a",): few, ("b",): many, ("c",): Sum(8, 1, 1)}, 4)
    ({('b',): Sum(persons=9, simulated=50, actual=40)}, Sum(persons=10, simulated=6, actual=6))
    """
    told = {key: each for key, each in cells.items() if each.persons >= crowd_min}
    rest = [each for key, each in cells.items() if key not in told]
    while rest and sum(each.persons for each in rest) < crowd_min and told:
        smallest = min(told, key=lambda key: (told[key].persons, key))
        rest.append(told.pop(smallest))
    return told, Sum(*(sum(column) for column in zip(*rest, strict=True))) if rest else Sum(0, 0, 0)


def _capped(cap: int | None, points: int) -> int:
    return points if cap is None else min(cap, points)
