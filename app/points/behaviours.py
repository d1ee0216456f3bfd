"""Behaviours (行为积分): what acts of grade C may earn, from a sponsored budget (R27).

A reward is so many points an act, up to a cap a person and day of acts, and a cap a budget and day
of recording. Acts of an upload are served in the order of (occurred_at, external id); one that an
empty programme cannot pay is ineligible for ever.

The reason of an act is stored before records of the same act are merged. So this promises, and
says which acts go without; ``settling`` posts, once it is known which acts count.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection
from app.points.earmarks import give_back, promise
from app.points.rules import capped, shares
from ledger.accounts import bucket_of

PERSON_CAP: Final = "cap.day"
BUDGET_CAP: Final = "cap.budget_day"
REWARD_COLUMNS: Final = (
    "r.id, r.programme, p.fen_per_point, r.points, r.person_day_points, r.budget_day_points,"
    " r.valid_from, r.valid_to"
)
_REWARDS: Final = f"""
select {REWARD_COLUMNS} from behaviour_reward r join programme p on p.id = r.programme
 where r.methodology = %s order by r.valid_from"""  # noqa: S608 -- a constant
_ADD: Final = """
insert into behaviour_day as d (bucket, account, day, reward, worth, granted)
select *, 0 from unnest(%s::int2[], %s::int8[], %s::date[], %s::int4[], %s::int8[])
on conflict (bucket, account, day, reward) do update set worth = d.worth + excluded.worth
returning account, day, reward, worth"""
_CHANGE: Final = """
update behaviour_day d set worth = d.worth + t.worth, granted = d.granted + t.granted
  from unnest(%s::int2[], %s::int8[], %s::date[], %s::int4[], %s::int8[], %s::int8[])
       as t (bucket, account, day, reward, worth, granted)
 where d.bucket = t.bucket and d.account = t.account and d.day = t.day and d.reward = t.reward
returning d.account, d.day, d.reward, d.worth, d.granted"""
_OPEN_DAY: Final = """
insert into budget_day (reward, day, points) values (%s, %s, 0) on conflict do nothing"""
_LOCK_DAY: Final = "select points from budget_day where reward = %s and day = %s for update"
_TAKE_DAY: Final = "update budget_day set points = points + %s where reward = %s and day = %s"

Place = tuple[int, date, int]
"""(owner, day, reward): what a person's cap is for."""


class Behaviour(NamedTuple):
    """An act of grade C that was not told before."""

    activity: UUID
    owner: int
    day: date


class Reward(NamedTuple):
    """What an act earns, and from whom."""

    id: int
    programme: int
    fen_per_point: int
    points: int
    person_day_points: int | None
    budget_day_points: int | None
    valid_from: date
    valid_to: date | None

    def holds_on(self, day: date) -> bool:
        """Whether acts of a day earn it."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class Worth(NamedTuple):
    """An act with its reward, and what the caps leave it."""

    act: Behaviour
    reward: Reward
    share: int

    @property
    def place(self) -> Place:
        """Where its cap is counted."""
        return (self.act.owner, self.act.day, self.reward.id)

    @property
    def fen(self) -> int:
        """What its share may claim."""
        return self.share * self.reward.fen_per_point


@dataclass(slots=True)
class Reserved:
    """What a chunk of acts may earn, promised and not yet posted."""

    worths: list[Worth] = field(default_factory=list[Worth])
    exhausted: set[UUID] = field(default_factory=set[UUID])
    """Acts that an empty programme cannot pay: ineligible."""
    cut: dict[UUID, str] = field(default_factory=dict[UUID, str])
    """Acts that a cap leaves less than the reward, with the reason."""
    fen: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    """What each programme promised."""


def reserve(
    connection: Connection, methodology: str, acts: Sequence[Behaviour], *, today: date, home: int
) -> Reserved:
    """Promise what ``acts`` of one methodology earn, in their order; nothing without a reward.

    Locks the people's days, the budget's day, then slices, over which ``home`` spreads.
    """
    rewards = [Reward(*row) for row in connection.execute(_REWARDS, (methodology,)).fetchall()]
    rewarded = [(act, reward) for act in acts for reward in rewards if reward.holds_on(act.day)]
    made = Reserved()
    if not rewarded:
        return made
    worths = _within_person_caps(connection, rewarded)
    made.cut = {each.act.activity: PERSON_CAP for each in worths if each.share < each.reward.points}
    for reward in rewards:
        of_it = [each for each in worths if each.reward is reward]
        paid = _promised(connection, _within_day(connection, of_it, made, today), made, home)
        if paid and reward.budget_day_points is not None:
            given = sum(each.share for each in paid)
            connection.execute(_TAKE_DAY, (given, reward.id, today))
        made.worths += paid
    kept = {each.act.activity for each in made.worths}
    gone = [(each.place, -each.reward.points) for each in worths if each.act.activity not in kept]
    if gone:
        change_days(connection, gone)
    return made


def change_days(
    connection: Connection,
    worth: Iterable[tuple[Place, int]],
    granted: Iterable[tuple[Place, int]] = (),
) -> dict[Place, tuple[int, int]]:
    """Add to what days are worth and were granted; gives both, of the days that changed."""
    changes: dict[Place, list[int]] = defaultdict(lambda: [0, 0])
    for column, told in enumerate((worth, granted)):
        for place, points in told:
            changes[place][column] += points
    rows = [
        (bucket_of(owner), owner, day, reward, *changes[owner, day, reward])
        for owner, day, reward in sorted(changes, key=lambda place: (bucket_of(place[0]), place))
    ]
    found = connection.execute(_CHANGE, [list(column) for column in zip(*rows, strict=True)])
    return {(owner, day, reward): (*sums,) for owner, day, reward, *sums in found}


def _within_person_caps(
    connection: Connection, rewarded: Sequence[tuple[Behaviour, Reward]]
) -> list[Worth]:
    """Add the acts to their people's days, and share what the caps leave, in their order."""
    added: dict[Place, int] = defaultdict(int)
    for act, reward in rewarded:
        added[act.owner, act.day, reward.id] += reward.points
    rows = sorted((bucket_of(place[0]), *place, points) for place, points in added.items())
    columns = [list(column) for column in zip(*rows, strict=True)]
    before = {
        (owner, day, reward): worth - added[owner, day, reward]
        for owner, day, reward, worth in connection.execute(_ADD, columns)
    }
    worths: list[Worth] = []
    for act, reward in rewarded:
        place, cap = (act.owner, act.day, reward.id), reward.person_day_points
        after = before[place] + reward.points
        worths.append(Worth(act, reward, capped(cap, after) - capped(cap, before[place])))
        before[place] = after
    return worths


def _within_day(
    connection: Connection, worths: list[Worth], made: Reserved, today: date
) -> list[Worth]:
    """Hold acts to what the budget gives a day; one that does not fit counts and earns nothing."""
    cap = worths[0].reward.budget_day_points if worths else None
    if cap is None:
        return worths
    day = (worths[0].reward.id, today)
    connection.execute(_OPEN_DAY, day)
    row = connection.execute(_LOCK_DAY, day).fetchone()
    assert row is not None, day
    met = shares([each.share for each in worths], cap - row[0])
    made.cut |= {
        each.act.activity: BUDGET_CAP for each, fits in zip(worths, met, strict=True) if not fits
    }
    return [each for each, fits in zip(worths, met, strict=True) if fits]


def _promised(
    connection: Connection, worths: list[Worth], made: Reserved, home: int
) -> list[Worth]:
    """Promise the fen; acts that an empty programme cannot pay are exhausted."""
    if not worths:
        return []
    programme, asked = worths[0].reward.programme, [each.fen for each in worths]
    given = promise(connection, programme, sum(asked), home=home)
    met = shares(asked, given)
    used = sum(fen for fen, fits in zip(asked, met, strict=True) if fits)
    give_back(connection, programme, given - used, home=home)
    made.fen[programme] += used
    kept = [each for each, fits in zip(worths, met, strict=True) if fits]
    made.exhausted |= {
        each.act.activity for each, fits in zip(worths, met, strict=True) if not fits
    }
    return kept
