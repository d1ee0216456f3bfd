"""The rules of growth (成长规则的计算): levels, badges, streaks, teams; values in, values out.

The thresholds are the document's; ``documents/growth-1.toml`` says why each is what it is.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.growth.published import BadgeRule, GrowthDocument, LevelRule, Measure
from app.growth.year import Year, monday_of
from ledger.assets import MG_PER_KG

MG_PER_GRAM: Final = 1000
WEEK: Final = timedelta(days=7)
PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Level:
    """Where a person stands (等级)."""

    number: int
    """From 1."""
    rule: LevelRule
    next_from: int | None
    """The growth value at which the next begins."""


@dataclass(frozen=True, slots=True)
class Streak:
    """Weeks in a row with an act (连续周)."""

    weeks: int
    """Active weeks in it; a forgiven week is not one."""
    forgiven: int
    """Missed weeks in it, that were forgiven."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge, held or on the way (徽章)."""

    rule: BadgeRule
    have: int

    @property
    def is_held(self) -> bool:
        """Whether the twelve months show enough."""
        return self.have >= self.rule.need


@dataclass(frozen=True, slots=True)
class Growth:
    """Everything that growth says of a person."""

    value: int
    level: Level
    streak: Streak
    longest: Streak
    badges: tuple[Badge, ...]


def grown(document: GrowthDocument, year: Year) -> Growth:
    """Read level, streaks and badges from a person's twelve months."""
    value = growth_value(document, year)
    forgiven = document.streak.gaps_forgiven
    longest = longest_streak(year.active_weeks, forgiven)
    have: dict[Measure, int] = {
        "active_days": len(year.active_days),
        "longest_streak_weeks": longest.weeks,
        "fields": len(year.fields()),
        "reduction_kg": year.amount_mg // MG_PER_KG,
        "contributed_kg": year.contributed_mg // MG_PER_KG,
    }
    return Growth(
        value=value,
        level=level_at(document, value),
        streak=current_streak(year.active_weeks, year.until, forgiven),
        longest=longest,
        badges=tuple(Badge(rule, have[rule.measure]) for rule in document.badges),
    )


def growth_value(document: GrowthDocument, year: Year) -> int:
    """Give the growth value: mass and active days."""
    return value_of(document, year.amount_mg, len(year.active_days))


def value_of(document: GrowthDocument, amount_mg: int, active_days: int) -> int:
    """Give the growth value of these two sums."""
    grams = amount_mg // (document.value.grams_each * MG_PER_GRAM)
    return grams + document.value.day_each * active_days


def level_at(document: GrowthDocument, value: int) -> Level:
    """Give the level of a growth value."""
    assert value >= 0, value
    number = sum(1 for level in document.levels if level.from_ <= value)
    following = document.levels[number : number + 1]
    return Level(number, document.levels[number - 1], following[0].from_ if following else None)


def current_streak(weeks: AbstractSet[date], today: date, forgiven_max: int) -> Streak:
    """Give the streak that runs today; the current week is not missed before it is over.

    >>> monday = date(2026, 1, 5)
    >>> current_streak({monday, monday - 2 * WEEK}, monday, 1)
    Streak(weeks=2, forgiven=1)
    """
    last = monday_of(today)
    return streak_ending(weeks, last if last in weeks else last - WEEK, forgiven_max)


def streak_ending(weeks: AbstractSet[date], last: date, forgiven_max: int) -> Streak:
    """Go back from the week ``last``: a missed week between active ones may be forgiven.

    Forgiven weeks before today and after the last active week count as missed too: a streak that
    missed one more than it may is over.
    """
    count = forgiven = missed = 0
    week, first = last, min(weeks, default=last)
    while week >= first:
        if week in weeks:
            count, forgiven, missed = count + 1, forgiven + missed, 0
        else:
            missed += 1
            if forgiven + missed > forgiven_max:
                break
        week -= WEEK
    return Streak(count, forgiven)


def longest_streak(weeks: AbstractSet[date], forgiven_max: int) -> Streak:
    """Give the longest of all streaks in these weeks."""
    every = (streak_ending(weeks, week, forgiven_max) for week in weeks)
    return max(every, key=lambda each: (each.weeks, -each.forgiven), default=Streak(0, 0))


def team_mean_mg(
    document: GrowthDocument, *, members: int, active: int, total_mg: int
) -> int | None:
    """Give a team's mean per head [mg], over all members; ``None`` while it is not ranked."""
    rule = document.team
    if members < rule.members_min or active * PERCENT < rule.participation_percent * members:
        return None
    return total_mg // members


def shown_mg(document: GrowthDocument, mg: int) -> int:
    """Round a board's mass down to its step [mg]."""
    step = document.board.step_grams * MG_PER_GRAM
    return mg // step * step
