"""A replay (推演): a quarter's facts under terms, a bucket at a time, over one snapshot.

Beside the candidate the present terms are replayed: they must come to what was granted, and the
outcome says both, so that whoever reads it sees how faithful the replay is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final, NamedTuple

from sqlmodel import Session

from app.campaigns.facts import Classes, Facts, classes_of, facts_of
from app.campaigns.rules import (
    Mark,
    Sum,
    Taken,
    Terms,
    cut_by_budget,
    exchanged,
    of_crowds,
    rewarded,
)
from app.campaigns.rules import path as path_of
from app.kernel.db import driver
from app.points.earmarks import Funds, funds_of
from app.points.programmes import Programme, Rate, Reward, rate_for, rates_of, rewards_of
from app.points.tiers import month_before
from ledger.accounts import BUCKETS

OTHER: Final = "other"
Cell = tuple[str, ...]
"""(month, field, grade)."""


class Candidate(NamedTuple):
    """Terms that are tried, in the place of those of one grade, field and tier, or behaviour."""

    rates: Sequence[Rate]
    rewards: Sequence[Reward]


class People(NamedTuple):
    """How many would have got more, less, or the same."""

    more: int
    less: int
    same: int


class Outcome(NamedTuple):
    """What the candidate comes to, beside what happened."""

    cells: Mapping[Cell, Sum]
    rest: Sum
    """Of all cells that are too small to be told."""
    people: People
    simulated_points: int
    replayed_points: int
    """By the present terms: as many as were granted, if the replay is faithful."""
    granted_points: int
    funds: Funds
    path: Sequence[Mark]


def replay(
    session: Session,
    programme: Programme,
    candidate: Candidate,
    since: date,
    until: date,
    *,
    crowd_min: int,
) -> Outcome:
    """Replay a programme's days under other terms; reads one bucket's facts at a time."""
    connection = driver(session)
    rates, rewards = rates_of(connection, programme.id), rewards_of(connection, programme.id)
    of, funds = classes_of(session), funds_of(connection, programme.id)
    present = _Replay(of, Candidate(rates, rewards))
    tried = _Replay(of, _in_place(Candidate(rates, rewards), candidate))
    codes = sorted({each.methodology for each in (*rewards, *candidate.rewards)})
    actual: dict[Cell, int] = defaultdict(int)
    persons: dict[Cell, int] = defaultdict(int)
    people = People(0, 0, 0)
    for bucket in range(BUCKETS):
        facts = facts_of(connection, bucket, programme.id, codes, since, until)
        if not any(facts):
            continue
        granted, whom = _granted(facts, of)
        before, after = _by_owner(granted), tried.add(facts)
        present.add(facts)
        for (_, cell), points in granted.items():
            actual[cell] += points
        for cell, owners in whom.items():
            persons[cell] += len(owners)
        people = _counted(people, before, after)
    simulated, by_day = tried.settled()
    replayed, _ = present.settled()
    cells = {
        cell: Sum(persons[cell], simulated.get(cell, 0), actual[cell])
        for cell in {*persons, *simulated}
    }
    told, rest = of_crowds(cells, crowd_min)
    fen = {day: points * programme.fen_per_point for day, points in by_day.items()}
    return Outcome(
        told,
        rest,
        people,
        sum(simulated.values()),
        sum(replayed.values()),
        sum(actual.values()),
        funds,
        path_of(fen, funds.total_fen, funds.promised_fen),
    )


class _Replay:
    """Facts under some terms, added up; what somebody took in a month is one, whatever a tier."""

    def __init__(self, of: Classes, terms: Candidate) -> None:
        self._of, self._terms = of, terms
        self._cells: dict[Cell, int] = defaultdict(int)
        self._by_day: dict[date, int] = defaultdict(int)
        self._told: dict[tuple[str, date], dict[date, int]] = defaultdict(lambda: defaultdict(int))

    def add(self, facts: Facts) -> dict[int, int]:
        """Add a bucket's facts; gives what each of its people would have got."""
        owners: dict[int, int] = defaultdict(int)
        for taken, points in exchanged(facts.taken, partial(self._rate_of, facts.before)):
            owners[taken.owner] += points
            self._by_day[taken.day] += points
            self._cells[_cell(self._of, taken.day, taken.asset)] += points
        for acted, points in rewarded(facts.acted, self._terms_of):
            owners[acted.owner] += points
            self._by_day[acted.day] += points
            self._cells[_cell(self._of, acted.day, acted.methodology)] += points
            self._told[acted.methodology, acted.recorded_on][acted.day] += points
        return owners

    def settled(self) -> tuple[dict[Cell, int], dict[date, int]]:
        """Give points by cell and by day, within the budget's caps."""
        for (methodology, _recorded_on), told in self._told.items():
            terms = self._terms_of(methodology, min(told))
            for day, points in (cut_by_budget(told, terms) if terms else {}).items():
                self._by_day[day] -= points
                self._cells[_cell(self._of, day, methodology)] -= points
        return self._cells, self._by_day

    def _rate_of(self, before: Mapping[tuple[int, date], int], taken: Taken) -> int | None:
        grade, field = self._of.classes[taken.asset]
        before_mg = before.get((taken.owner, month_before(taken.day)), 0)
        return rate_for(self._terms.rates, grade, field, taken.day, before_mg)

    def _terms_of(self, methodology: str, day: date) -> Terms | None:
        for each in self._terms.rewards:
            holds = each.valid_from <= day and (each.valid_to is None or day < each.valid_to)
            if each.methodology == methodology and holds:
                return Terms(each.points, each.person_day_points, each.budget_day_points)
        return None


def _in_place(present: Candidate, candidate: Candidate) -> Candidate:
    """Put what is tried in the place of what holds."""
    rates = {_place(each) for each in candidate.rates}
    rewards = {each.methodology for each in candidate.rewards}
    return Candidate(
        [
            *(each for each in present.rates if _place(each) not in rates),
            *candidate.rates,
        ],
        [
            *(each for each in present.rewards if each.methodology not in rewards),
            *candidate.rewards,
        ],
    )


def _place(rate: Rate) -> tuple[str, str | None, int]:
    return rate.grade, rate.field, rate.from_mg


def _granted(facts: Facts, of: Classes) -> tuple[dict[tuple[int, Cell], int], dict[Cell, set[int]]]:
    """Give what people were granted by cell, and whom each cell is of."""
    points: dict[tuple[int, Cell], int] = defaultdict(int)
    whom: dict[Cell, set[int]] = defaultdict(set)
    for taken in facts.taken:
        cell = _cell(of, taken.day, taken.asset)
        points[taken.owner, cell] += taken.points
        whom[cell].add(taken.owner)
    for granted in facts.granted:
        points[granted.owner, _cell(of, granted.day, granted.methodology)] += granted.points
    for acted in facts.acted:
        whom[_cell(of, acted.day, acted.methodology)].add(acted.owner)
    return points, whom


def _by_owner(granted: Mapping[tuple[int, Cell], int]) -> dict[int, int]:
    owners: dict[int, int] = defaultdict(int)
    for (owner, _), points in granted.items():
        owners[owner] += points
    return owners


def _counted(people: People, before: Mapping[int, int], after: Mapping[int, int]) -> People:
    changes = [after.get(owner, 0) - before.get(owner, 0) for owner in {*before, *after}]
    more, less = sum(each > 0 for each in changes), sum(each < 0 for each in changes)
    same = len(changes) - more - less
    return People(people.more + more, people.less + less, people.same + same)


def _cell(of: Classes, day: date, what: int | str) -> Cell:
    if isinstance(what, int):
        grade, field = of.classes[what]
    else:
        grade, field = "C", of.behaviours.get(what)
    return f"{day:%Y-%m}", field or OTHER, grade
