"""What public cancellations came to (公益注销总量): counted from rows, told of crowds alone.

What corrections took back of a person's cancelled grams is taken from their gifts, the latest
first, so that no figure is above what is there.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.activities.left import Gift, remaining
from app.benefit.rules import Tally, is_told
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from ledger.accounts import BUCKETS, SYSTEM_ACCOUNTS
from ledger.chart import Code

BUCKETS_AT_ONCE: Final = 8
_FACTS: Final = {"code": int(Code.CORRECT), "cancelled": SYSTEM_ACCOUNTS["cancelled"]}
_GIFTS: Final = """
with giver as materialized (
  select distinct bucket, account, asset from benefit_gift
   where bucket between %(first)s and %(last)s and night <= %(until)s)
select v.account, v.asset, x.grade, t.id, t.amount, g.cancellation, g.night
  from giver v
  join asset x on x.id = v.asset
  join transfer t
    on t.bucket = v.bucket and t.source = v.account and t.asset = v.asset and t.code = 12
  left join benefit_gift g on g.bucket = t.bucket and g.account = t.source
   and g.asset = t.asset and g.night = t.recorded_on and g.id = t.id"""
_CORRECTED: Final = """
select c.account, t.asset, sum(t.amount)::int8
  from (select distinct bucket, account from benefit_gift
         where bucket between %(first)s and %(last)s) v
  join act_change c on c.bucket = v.bucket and c.account = v.account and c.amount_mg < 0
  join transfer t on t.bucket = c.bucket and t.recorded_on = c.recorded_on and t.id = c.id
 where t.code = %(code)s and t.source = %(cancelled)s
 group by c.account, t.asset"""
_TOLD: Final = "select cancellation, grade, persons, mg, counted_on from cancellation_total"
_TELL: Final = """
insert into cancellation_total (cancellation, grade, persons, mg, counted_on)
values (%s, %s, %s, %s, %s)
on conflict (cancellation, grade) do update
  set persons = excluded.persons, mg = excluded.mg, counted_on = excluded.counted_on"""

Place = tuple[UUID, str]
"""(public cancellation, grade)."""
Told = dict[Place, tuple[Tally, date]]


def count_totals(db: Database, *, crowd_min: int, at: datetime) -> int:
    """Count anew, and tell what may be told; gives how many figures changed. Runs as the worker."""
    told, today = db.read(_told), day_of(at)
    persons: dict[Place, int] = defaultdict(int)
    joined: dict[Place, int] = defaultdict(int)
    mg: dict[Place, int] = defaultdict(int)
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        found = db.read(_count, first, first + BUCKETS_AT_ONCE - 1, told, today)
        for place, (its_persons, its_joined, its_mg) in found.items():
            persons[place] += its_persons
            joined[place] += its_joined
            mg[place] += its_mg
    changed = [
        (*place, persons[place], mg[place], today)
        for place in persons
        if is_told(
            told[place][0] if place in told else None,
            Tally(persons[place], mg[place]),
            joined[place],
            crowd_min,
        )
    ]
    if changed:
        db.transact(_tell, changed)
    return len(changed)


def _told(session: Session) -> Told:
    return {
        (cancellation, grade): (Tally(persons, mg), counted_on)
        for cancellation, grade, persons, mg, counted_on in driver(session).execute(_TOLD)
    }


def _count(
    session: Session, first: int, last: int, told: Told, today: date
) -> dict[Place, tuple[int, int, int]]:
    """Give the persons, those who joined since it was told, and the mass, by place."""
    connection = driver(session)
    facts = {**_FACTS, "first": first, "last": last, "until": today}
    gifts: dict[tuple[int, int], list[Gift]] = defaultdict(list)
    joins: list[tuple[int, int, bytes, Place, date]] = []
    for owner, asset, grade, id_, mg, cancellation, night in connection.execute(_GIFTS, facts):
        gifts[owner, asset].append(Gift(id_.bytes, mg))
        if cancellation is not None:
            joins.append((owner, asset, id_.bytes, (cancellation, grade), night))
    if not joins:
        return {}
    corrected = {(owner, asset): mg for owner, asset, mg in connection.execute(_CORRECTED, facts)}
    left = {
        (*of, order): mg
        for of, own in gifts.items()
        for order, mg in remaining(own, corrected.get(of, 0)).items()
    }
    people: dict[Place, set[int]] = defaultdict(set)
    since: dict[Place, set[int]] = defaultdict(set)
    masses: dict[Place, int] = defaultdict(int)
    for owner, asset, order, place, night in joins:
        people[place].add(owner)
        masses[place] += left[owner, asset, order]
        if place not in told or night > told[place][1]:
            since[place].add(owner)
    return {place: (len(people[place]), len(since[place]), masses[place]) for place in people}


def _tell(session: Session, changed: Sequence[tuple[object, ...]]) -> None:
    connection = driver(session)
    for row in changed:
        connection.execute(_TELL, row)
