"""Whose pooled grams these are, on disk (入池来源): read person by person, a few buckets at once.

One ordered stream for the persons who ever pooled of a class: their acts with what they are worth
now, their exits, what corrections took back. It is read through a cursor of the server, so that
the memory stays flat whatever a bucket holds. Reductions are never recorded before the month that
they are of, which spares the older partitions.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection
from app.registry.attribution import Act, Move, Places
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code
from ledger.encoding import ZERO_HASH

PLACES: Final = Places(SYSTEM_ACCOUNTS["pool"], SYSTEM_ACCOUNTS["issued"])
EXITS: Final = (PLACES.pool, SYSTEM_ACCOUNTS["cancelled"], SYSTEM_ACCOUNTS["given"])
ROWS_AT_ONCE: Final = 5_000
_ACT = 0
_STREAM: Final = """
with own as (
  select distinct bucket, source as owner from transfer
   where bucket between %(first)s and %(last)s and recorded_on >= %(since)s
     and asset = %(asset)s and target = %(pool)s),
moved as (
  select t.bucket, t.recorded_on, t.id, t.source, t.target, t.amount, t.code, t.cause,
         t.occurred_on, t.corrects, t.evidence
    from transfer t
   where t.bucket between %(first)s and %(last)s and t.recorded_on >= %(since)s
     and t.asset = %(asset)s),
corrected as (
  select bucket, corrects as id, sum(amount)::int8 as mg from moved
   where code = %(correct)s group by bucket, corrects),
act as (
  select o.bucket, o.owner, a.cause as id, min(a.recorded_on) as recorded_on,
         min(a.occurred_on) as occurred_on, (sum(a.amount) - coalesce(sum(c.mg), 0))::int8 as mg,
         (array_agg(a.evidence order by a.recorded_on, a.id))[1] as evidence
    from own o
    join moved a on a.bucket = o.bucket and a.target = o.owner and a.code = %(accrue)s
    left join corrected c on c.bucket = a.bucket and c.id = a.id
   group by o.bucket, o.owner, a.cause),
placed as (
  select bucket, account, activity, sum(upper(place) - lower(place))::int8 as mg
    from issued_row where bucket between %(first)s and %(last)s and asset = %(asset)s
   group by bucket, account, activity)
select a.bucket, a.owner, 0, a.recorded_on, a.id, a.occurred_on, a.mg, coalesce(p.mg, 0),
       a.evidence
  from act a left join placed p
    on p.bucket = a.bucket and p.account = a.owner and p.activity = a.id
union all
select o.bucket, o.owner, 1, e.recorded_on, e.id, null, e.amount, e.target, null
  from own o
  join moved e on e.bucket = o.bucket and e.source = o.owner and e.target = any(%(exits)s)
union all
select o.bucket, o.owner, 1, c.recorded_on, c.id, null, -c.amount, c.source, null
  from own o
  join moved a on a.bucket = o.bucket and a.target = o.owner and a.code = %(accrue)s
  join moved c on c.bucket = a.bucket and c.corrects = a.id and c.code = %(correct)s
   and c.source < 65536
 order by 1, 2, 3, 4, 5"""


class Series(NamedTuple):
    """A class of reductions (减排量类别), of which a lot is made."""

    asset: int
    since: date
    """The first day of its month: nothing of it was recorded earlier."""


class ActFacts(NamedTuple):
    """Of an act, what a row says besides its milligrams."""

    recorded_on: date
    """Of its first accrual."""
    occurred_on: date
    evidence: bytes


@dataclass(slots=True)
class Person:
    """What one person did and pooled of one class."""

    bucket: int
    owner: int
    acts: list[Act] = field(default_factory=list[Act])
    facts: dict[UUID, ActFacts] = field(default_factory=dict[UUID, ActFacts])
    moves: list[Move] = field(default_factory=list[Move])
    """What left them, and what corrections took back from there, in the order of recording."""


def persons(connection: Connection, series: Series, first: int, last: int) -> Generator[Person]:
    """Give everybody of buckets ``first`` to ``last`` who ever pooled of this class."""
    facts = {
        "first": first,
        "last": last,
        "asset": series.asset,
        "since": series.since,
        "pool": PLACES.pool,
        "exits": list(EXITS),
        "accrue": int(Code.ACCRUE),
        "correct": int(Code.CORRECT),
    }
    with connection.cursor(name="origins", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_STREAM, facts)
        for (bucket, owner), rows in groupby(cursor, key=lambda row: (row[0], row[1])):
            yield _person(bucket, owner, rows)


def _person(bucket: int, owner: int, rows: Iterator[tuple[Any, ...]]) -> Person:
    made = Person(bucket, owner)
    for _, _, kind, recorded_on, id_, occurred_on, mg, other, evidence in rows:
        if kind == _ACT:
            made.acts.append(Act(id_, mg, other))
            made.facts[id_] = ActFacts(recorded_on, occurred_on, bytes(evidence or ZERO_HASH))
        else:
            made.moves.append(Move(other, mg))
    return made
