"""Settling behaviours (行为积分入账): once it is known which acts count, their points are posted.

What a person's day comes to is the capped sum of the acts that count, in any order of arrival
(R9), budgets aside. So when a better record displaces one that earned points, the day is settled
anew: what it is too much is taken back like any points, what it lacks is granted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.books import Row, asset_ids
from app.kernel.db import Connection
from app.points.behaviours import (
    REWARD_COLUMNS,
    Behaviour,
    Place,
    Reserved,
    Reward,
    Worth,
    change_days,
)
from app.points.debts import NewId, Owed, offset_debts, take_points
from app.points.earmarks import give_back, promise
from app.points.programmes import programmes
from app.points.rules import capped, shares
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

ISSUANCE: Final = SYSTEM_ACCOUNTS["issuance/points"]
_EARLIER: Final = f"""
select a.activity, a.account, a.day, a.transfer, a.recorded_on, t.asset, {REWARD_COLUMNS}
  from unnest(%s::int2[], %s::int8[], %s::uuid[]) as k (bucket, account, activity)
  join behaviour_act a
    on a.bucket = k.bucket and a.account = k.account and a.activity = k.activity
  join behaviour_reward r on r.id = a.reward
  join programme p on p.id = r.programme
  left join transfer t
    on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.transfer"""  # noqa: S608 -- a constant
_STORE: Final = """
insert into behaviour_act (bucket, account, activity, reward, day, points, recorded_on, transfer)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::int4[], %s::date[], %s::int4[],
                     %s::date[], %s::uuid[])"""

Key = tuple[int, UUID]
"""(owner, act)."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Which acts count now and did not, or did and do not."""

    displaced: Collection[UUID] = ()
    """New acts that another record stands in for."""
    lost: Mapping[Key, UUID] = field(default_factory=dict[Key, UUID])
    """Earlier acts that count no more, with the cause."""
    regained: Collection[Key] = ()
    """Earlier acts that count again."""


UNCHANGED: Final = Shift()


class Grant(NamedTuple):
    """Points for an act."""

    worth: Worth
    points: int

    @property
    def fen(self) -> int:
        """What they may claim."""
        return self.points * self.worth.reward.fen_per_point


class Earlier(NamedTuple):
    """An act that was told before, and what it was first granted with."""

    worth: Worth
    transfer: UUID | None
    recorded_on: date
    asset: int | None


def settle(
    connection: Connection,
    reserved: Reserved,
    shift: Shift = UNCHANGED,
    *,
    today: date,
    new_id: NewId,
) -> list[Row]:
    """Grant what was reserved, after what else changed; gives the transfers, to be posted.

    People are locked where ``shift`` says anything.
    """
    earlier = _earlier(connection, [*shift.lost, *shift.regained])
    if not reserved.worths and not earlier:
        return []
    grants = [
        Grant(each, each.share)
        for each in reserved.worths
        if each.act.activity not in shift.displaced
    ]
    too_much: dict[Place, int] = {}
    if earlier or len(grants) < len(reserved.worths):
        lacking = _lacking(connection, reserved, shift, earlier, grants)
        regained = [each.worth for key, each in earlier.items() if key in shift.regained]
        grants, too_much = _fitted(grants, regained, lacking)
    grants = _funded(connection, grants, reserved.fen)
    owed = list(_owed(shift.lost, earlier, too_much))
    moved = [
        *((each.worth.place, each.points) for each in grants if each.points),
        *((place, -each.points) for place, each in owed),
    ]
    if moved:
        change_days(connection, (), moved)
    rows = take_points(connection, [each for _, each in owed], today=today, new_id=new_id)
    return rows + _granted(connection, reserved.worths, grants, today, new_id)


def _earlier(connection: Connection, keys: Sequence[Key]) -> dict[Key, Earlier]:
    if not keys:
        return {}
    rows = sorted((bucket_of(owner), owner, activity) for owner, activity in keys)
    columns = [list(column) for column in zip(*rows, strict=True)]
    return {
        (owner, activity): Earlier(
            Worth(Behaviour(activity, owner, day), Reward(*reward), 0), transfer, recorded_on, asset
        )
        for activity, owner, day, transfer, recorded_on, asset, *reward in connection.execute(
            _EARLIER, columns
        )
    }


def _lacking(
    connection: Connection,
    reserved: Reserved,
    shift: Shift,
    earlier: Mapping[Key, Earlier],
    grants: Iterable[Grant],
) -> dict[Place, int]:
    """Change what days are worth; give what each then lacks beyond its grants, or has too much."""
    changes = [
        (each.place, -each.reward.points)
        for each in reserved.worths
        if each.act.activity in shift.displaced
    ]
    caps = {each.place: each.reward.person_day_points for each in reserved.worths}
    for key, (worth, *_) in earlier.items():
        points = worth.reward.points
        changes.append((worth.place, -points if key in shift.lost else points))
        caps[worth.place] = worth.reward.person_day_points
    planned: dict[Place, int] = defaultdict(int)
    for each in grants:
        planned[each.worth.place] += each.points
    return {
        place: capped(caps[place], worth) - granted - planned[place]
        for place, (worth, granted) in change_days(connection, changes).items()
    }


def _fitted(
    grants: Sequence[Grant], regained: Sequence[Worth], lacking: Mapping[Place, int]
) -> tuple[list[Grant], dict[Place, int]]:
    """Raise or lower grants to what each day lacks; give what earlier ones have too much."""
    left = dict(lacking)
    fitted: list[Grant] = []
    for each in reversed([*grants, *(Grant(worth, 0) for worth in regained)]):
        room = each.worth.reward.points - each.points
        change = min(max(left.get(each.worth.place, 0), -each.points), room)
        left[each.worth.place] = left.get(each.worth.place, 0) - change
        fitted.append(Grant(each.worth, each.points + change))
    return fitted[::-1], {place: -points for place, points in left.items() if points < 0}


def _funded(
    connection: Connection, grants: Sequence[Grant], reserved: Mapping[int, int]
) -> list[Grant]:
    """Hold grants to what is promised: the rest goes back, and more is asked for."""
    funded: list[Grant] = []
    by_programme: dict[int, list[Grant]] = {programme: [] for programme in reserved}
    for each in grants:
        by_programme.setdefault(each.worth.reward.programme, []).append(each)
    for programme, own in sorted(by_programme.items()):
        asked = [each.fen for each in own]
        given = reserved.get(programme, 0)
        given += promise(connection, programme, max(0, sum(asked) - given), home=programme)
        met = shares(asked, given)
        used = sum(fen for fen, fits in zip(asked, met, strict=True) if fits)
        give_back(connection, programme, given - used, home=programme)
        funded += [each for each, fits in zip(own, met, strict=True) if fits]
    return funded


def _owed(
    lost: Mapping[Key, UUID], earlier: Mapping[Key, Earlier], too_much: Mapping[Place, int]
) -> Iterator[tuple[Place, Owed]]:
    """Say what lost acts give back of a day that has too much."""
    left = dict(too_much)
    for key, cause in lost.items():
        if key not in earlier:
            continue
        worth, transfer, recorded_on, asset = earlier[key]
        points = min(left.get(worth.place, 0), worth.reward.points)
        if points:
            left[worth.place] -= points
            corrects_on = None if transfer is None else recorded_on
            yield (
                worth.place,
                Owed(key[0], worth.reward.programme, asset, points, cause, transfer, corrects_on),
            )


def _granted(
    connection: Connection,
    worths: Sequence[Worth],
    grants: Sequence[Grant],
    today: date,
    new_id: NewId,
) -> list[Row]:
    """Write the new acts down, and give the transfers of all grants, with what pays debts."""
    known = programmes(connection)
    earned = {each.id: each.points_earned(today) for each in known.values()}
    numbers = asset_ids(connection, earned.values()) if grants else {}
    rows: dict[int, list[Row]] = defaultdict(list)
    transfers: dict[UUID, UUID] = {}
    for (act, reward, _), points in grants:
        if points:
            transfers[act.activity] = new_id()
            rows[reward.programme].append(
                Row(
                    bucket_of(act.owner), today, transfers[act.activity], ISSUANCE, act.owner,
                    numbers[earned[reward.programme]], points, int(Code.GRANT_BEHAVIOUR),
                    act.activity, act.day,
                )
            )  # fmt: skip
    stored = [
        (
            *(bucket_of(act.owner), act.owner, act.activity, reward.id, act.day, reward.points),
            *(today, transfers.get(act.activity)),
        )
        for act, reward, _ in sorted(worths)
    ]
    if stored:
        connection.execute(_STORE, [list(column) for column in zip(*stored, strict=True)])
    made: list[Row] = []
    for programme, own in sorted(rows.items()):
        made += own
        made += offset_debts(connection, programme, own, today=today, new_id=new_id)
    return made
