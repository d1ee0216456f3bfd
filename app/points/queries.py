"""Questions about points (积分查询): past exchanges, and a programme's public figures."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, Database, driver
from app.points.earmarks import BUCKETS_AT_ONCE, Funds, funds_of
from app.points.programmes import (
    Programme,
    Rate,
    Reward,
    find_programme,
    programmes,
    rates_of,
    rewards_of,
)
from app.points.sponsors import Sponsor, sponsors_of
from ledger.accounts import BUCKETS

_PAGE: Final = """
select e.id, p.code, e.recorded_at, e.night, e.reduction_mg, e.points, x.expires
  from exchange e
  join programme p on p.id = e.programme
  join asset x on x.id = e.asset
 where e.bucket = %s and e.account = %s and e.id < %s
 order by e.id desc limit %s"""
_CLASSES: Final = """
select c.exchange, x.key, x.methodology, x.version, x.scenario, x.grade, x.vintage, c.mg,
       c.mg_per_point, c.points
  from exchange_class c join asset x on x.id = c.asset
 where c.bucket = %s and c.account = %s and c.exchange = any(%s)
 order by c.exchange, x.vintage, c.asset"""
_COUNTED: Final = """
select expires, points, counted_at from points_outstanding
 where programme = %s and points > 0 order by expires"""
_COUNT: Final = """
select p.id, x.expires, sum(b.credits - b.debits)::int8
  from balance b
  join asset x on x.id = b.asset
  join programme p on p.code = x.programme
 where b.bucket between %s and %s and b.asset & 7 = 3 and b.credits > b.debits
 group by p.id, x.expires"""
_FORGET: Final = "delete from points_outstanding"
_KEEP: Final = """
insert into points_outstanding (programme, expires, points, counted_at)
select *, %s from unnest(%s::int2[], %s::date[], %s::int8[])"""


class PastClass(NamedTuple):
    """What an exchange took of one class."""

    key: bytes
    methodology: str
    version: int
    scenario: str
    grade: str
    vintage: date
    mg: int
    mg_per_point: int
    points: int


class PastExchange(NamedTuple):
    """An exchange as it was recorded."""

    id: UUID
    programme: str
    at: datetime
    night: date | None
    mg: int
    points: int
    expires: date
    classes: Sequence[PastClass] = ()


class Outstanding(NamedTuple):
    """Points that nobody spent yet, of one last day, as they were last counted."""

    expires: date
    points: int
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What anybody may see of a programme."""

    programme: Programme
    funds: Funds
    rates: Sequence[Rate]
    rewards: Sequence[Reward]
    outstanding: Sequence[Outstanding]
    sponsors: Sequence[Sponsor]


def exchanges_of(
    session: Session, bucket: int, owner: int, *, before: UUID, limit: int
) -> list[PastExchange]:
    """Give a citizen's exchanges, the newest first; two statements."""
    connection = driver(session)
    page = connection.execute(_PAGE, (bucket, owner, before, limit)).fetchall()
    found = [PastExchange(*row) for row in page]
    classes: dict[UUID, list[PastClass]] = defaultdict(list)
    facts = (bucket, owner, [each.id for each in found])
    for exchange, *row in connection.execute(_CLASSES, facts):
        classes[exchange].append(PastClass(*row))
    return [each._replace(classes=classes[each.id]) for each in found]


def figures(session: Session, *, after: int, limit: int) -> list[Figures]:
    """Give programmes with their figures, in the order in which they were opened."""
    connection = driver(session)
    known = [each for each in programmes(connection).values() if each.id > after]
    return [_figures(connection, each) for each in known[:limit]]


def figures_of(session: Session, code: str) -> Figures:
    """Give one programme with its figures.

    Raises:
        ProgrammeUnknown: There is none of this code.
    """
    return _figures(driver(session), find_programme(session, code))


def count_outstanding(db: Database, *, at: datetime) -> None:
    """Count anew what nobody spent yet; runs as the worker."""
    counted: dict[tuple[int, date], int] = defaultdict(int)
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        for programme, expires, points in db.read(_count, first, first + BUCKETS_AT_ONCE - 1):
            counted[programme, expires] += points
    db.transact(_keep, [(*place, points) for place, points in sorted(counted.items())], at)


def _figures(connection: Connection, programme: Programme) -> Figures:
    funds = funds_of(connection, programme.id)
    return Figures(
        programme,
        funds,
        rates_of(connection, programme.id),
        rewards_of(connection, programme.id),
        [Outstanding(*row) for row in connection.execute(_COUNTED, (programme.id,)).fetchall()],
        sponsors_of(connection, programme.id, funds),
    )


def _count(session: Session, first: int, last: int) -> list[tuple[int, date, int]]:
    return driver(session).execute(_COUNT, (first, last)).fetchall()


def _keep(session: Session, rows: Sequence[tuple[int, date, int]], at: datetime) -> None:
    connection = driver(session)
    connection.execute(_FORGET)
    if rows:
        connection.execute(_KEEP, (at, *map(list, zip(*rows, strict=True))))
