"""A person's twelve months (滚动十二个月): what the rows say, as one value that the rules read.

Days are of Asia/Shanghai and weeks begin on Monday. What counts is an act that is eligible, is
not merged into another record of itself, and was not withdrawn.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Tally:
    """The acts of one day in one field."""

    day: date
    field: str
    acts: int
    proved: int
    """Of these, measured by a provider or proved by a document."""
    mg: int
    """What they are worth in the books, corrections taken off [mg]."""


@dataclass(frozen=True, slots=True)
class Year:
    """Everything that levels, badges, streaks and the score are computed from."""

    since: date
    until: date
    """The last day, and the day as of which rows are read."""
    tallies: tuple[Tally, ...] = ()
    contributed_mg: int = 0
    """Cancelled or given in these months, less what corrections took from there [mg]."""
    disproved: int = 0
    """Self-declared acts that were withdrawn."""

    @property
    def amount_mg(self) -> int:
        """The reductions of these months [mg]."""
        return sum(each.mg for each in self.tallies)

    @property
    def acts(self) -> int:
        """How many acts count."""
        return sum(each.acts for each in self.tallies)

    @property
    def proved_acts(self) -> int:
        """How many of them are measured or proved."""
        return sum(each.proved for each in self.tallies)

    @property
    def active_days(self) -> frozenset[date]:
        """The days with an act."""
        return frozenset(each.day for each in self.tallies)

    @property
    def active_weeks(self) -> frozenset[date]:
        """The Mondays of the weeks with an act."""
        return frozenset(map(monday_of, self.active_days))

    def fields(self, days_min: int = 1) -> frozenset[str]:
        """Give the fields that have acts on at least so many days."""
        days: dict[str, set[date]] = {}
        for each in self.tallies:
            days.setdefault(each.field, set()).add(each.day)
        return frozenset(field for field, seen in days.items() if len(seen) >= days_min)


def monday_of(day: date) -> date:
    """Give the Monday of a day's week.

    >>> monday_of(date(2026, 1, 1))
    datetime.date(2025, 12, 29)
    """
    return day - timedelta(days=day.weekday())


def a_year_before(day: date) -> date:
    """Give the first of the twelve months that end on a day.

    >>> a_year_before(date(2026, 3, 31)), a_year_before(date(2024, 2, 29))
    (datetime.date(2025, 4, 1), datetime.date(2023, 3, 1))
    """
    after = day + timedelta(days=1)
    if (after.month, after.day) == (2, 29):
        return after.replace(year=after.year - 1, day=28)
    return after.replace(year=after.year - 1)


def gathered(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    """Add up the tallies of one day and field, in order."""
    sums: dict[tuple[date, str], Tally] = {}
    for each in tallies:
        seen = sums.get((each.day, each.field))
        sums[each.day, each.field] = (
            each
            if seen is None
            else Tally(
                each.day,
                each.field,
                seen.acts + each.acts,
                seen.proved + each.proved,
                seen.mg + each.mg,
            )
        )
    return tuple(sums[key] for key in sorted(sums))
