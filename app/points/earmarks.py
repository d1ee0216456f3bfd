"""Earmarks (预算占用): fen of a programme's budget that its points out there may claim (R27).

A budget's money is in the books; how much of it is promised lies in the counters of its slices,
so that a city that earns at once does not queue at one row. Points take from a slice in the
transaction that grants them. Points that leave their owner unspent leave a row in a queue, and a
job gives back what was promised for them.

Lock order: people, then slices, then balances. A transaction takes of each programme once, and
a slice that somebody else holds is passed over while another has enough.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlmodel import Session

from app.books import Row
from app.kernel.db import Connection, Database, driver
from app.points.rules import solvency_permille
from ledger.accounts import BUCKETS

SLICES: Final = 16
BUCKETS_AT_ONCE: Final = 64

_OPEN: Final = """
insert into budget_slice (programme, slice, unpromised_fen, promised_fen)
select %s, n, 0, 0 from generate_series(0, %s) n"""
_TAKE: Final = """
update budget_slice set unpromised_fen = unpromised_fen - %(fen)s,
       promised_fen = promised_fen + %(fen)s
 where (programme, slice) = (
   select programme, slice from budget_slice
    where programme = %(programme)s and unpromised_fen >= %(fen)s
    order by (slice + %(slices)s - %(home)s) %% %(slices)s limit 1 for update skip locked)"""
_ALL: Final = """
select slice, unpromised_fen from budget_slice
 where programme = %s order by slice for update"""
_REFILL: Final = """
update budget_slice s set unpromised_fen = t.unpromised_fen,
       promised_fen = s.promised_fen + t.promised_fen
  from unnest(%s::int2[], %s::int8[], %s::int8[]) as t (slice, unpromised_fen, promised_fen)
 where s.programme = %s and s.slice = t.slice"""
_ADD: Final = """
update budget_slice set unpromised_fen = unpromised_fen + %(fen)s,
       promised_fen = promised_fen - %(returned)s
 where programme = %(programme)s and slice = %(slice)s"""
_STATE: Final = """
select coalesce(sum(unpromised_fen), 0)::int8, coalesce(sum(promised_fen), 0)::int8
  from budget_slice where programme = %s"""
_DUE: Final = """
insert into earmark_due (bucket, programme, points)
select t.bucket, p.id, t.points
  from unnest(%s::int2[], %s::int4[], %s::int8[]) as t (bucket, asset, points)
  join asset x on x.id = t.asset
  join programme p on p.code = x.programme
 where p.fen_per_point > 0"""
_RETURNED: Final = """
with gone as (delete from earmark_due where bucket between %s and %s returning programme, points)
select p.id, sum(g.points * p.fen_per_point)::int8
  from gone g join programme p on p.id = g.programme group by p.id order by p.id"""


class Funds(NamedTuple):
    """A programme's money [fen]: what no point may claim yet, and what points may."""

    unpromised_fen: int
    promised_fen: int

    @property
    def total_fen(self) -> int:
        """What the budget holds."""
        return self.unpromised_fen + self.promised_fen

    @property
    def solvency(self) -> int | None:
        """Funds for every 1,000 fen of promises; none while nothing is promised."""
        return solvency_permille(self.total_fen, self.promised_fen)


def open_slices(connection: Connection, programme: int) -> None:
    """Give a new programme its slices, all empty."""
    connection.execute(_OPEN, (programme, SLICES - 1))


def funds_of(connection: Connection, programme: int) -> Funds:
    """Add a programme's slices up."""
    row = connection.execute(_STATE, (programme,)).fetchone()
    assert row is not None, programme
    return Funds(*row)


def promise(connection: Connection, programme: int, fen: int, *, home: int) -> int:
    """Promise ``fen``, or the less that an all but empty programme has left; gives how much.

    ``home`` spreads the takers over the slices. A slice that is short is refilled from the
    others there and then, which are evened out by it.
    """
    if fen == 0:
        return 0
    facts = {"programme": programme, "fen": fen, "home": home % SLICES, "slices": SLICES}
    if connection.execute(_TAKE, facts).rowcount:
        return fen
    left = [unpromised for _, unpromised in connection.execute(_ALL, (programme,)).fetchall()]
    given = min(fen, sum(left))
    if given:
        share, more = divmod(sum(left) - given, SLICES)
        evened = [share + (place < more) for place in range(SLICES)]
        promised = [given if place == home % SLICES else 0 for place in range(SLICES)]
        connection.execute(_REFILL, (list(range(SLICES)), evened, promised, programme))
    return given


def give_back(connection: Connection, programme: int, fen: int, *, home: int) -> None:
    """Take back a promise that its own transaction did not use."""
    if fen:
        _add(connection, programme, fen, fen, slice_=home % SLICES)


def spend(
    connection: Connection, programme: int, promised_fen: int, paid_fen: int, *, home: int
) -> None:
    """Settle claims that came to ``promised_fen``, of which ``paid_fen`` leave the budget.

    What is not paid, a fee say, may be promised again.
    """
    assert 0 <= paid_fen <= promised_fen, (promised_fen, paid_fen)
    if promised_fen:
        _add(connection, programme, promised_fen - paid_fen, promised_fen, slice_=home % SLICES)


def add_funds(connection: Connection, programme: int, fen: int) -> None:
    """Let points claim ``fen`` more, spread over the slices."""
    share, more = divmod(fen, SLICES)
    for slice_ in range(SLICES):
        if added := share + (slice_ < more):
            _add(connection, programme, added, 0, slice_=slice_)


def set_due(connection: Connection, rows: Iterable[Row]) -> None:
    """Queue the return of what was promised for points that ``rows`` take from their owners.

    For every transfer of points to ``expired`` or ``correction``, in its transaction.
    """
    due: dict[tuple[int, int], int] = defaultdict(int)
    for row in rows:
        due[row.bucket, row.asset] += row.amount
    if due:
        columns = zip(*((*place, points) for place, points in sorted(due.items())), strict=True)
        connection.execute(_DUE, [list(column) for column in columns])


def return_earmarks(db: Database) -> int:
    """Give back what was promised for points that nobody holds any more; gives the fen.

    Runs as the worker. A queue's rows and the return are one transaction a chunk of buckets.
    """
    return sum(
        db.transact(_return_chunk, first, first + BUCKETS_AT_ONCE - 1)
        for first in range(0, BUCKETS, BUCKETS_AT_ONCE)
    )


def _return_chunk(session: Session, first: int, last: int) -> int:
    connection = driver(session)
    returned = 0
    for programme, fen in connection.execute(_RETURNED, (first, last)).fetchall():
        give_back(connection, programme, fen, home=first // BUCKETS_AT_ONCE)
        returned += fen
    return returned


def _add(connection: Connection, programme: int, fen: int, returned: int, *, slice_: int) -> None:
    facts = {"programme": programme, "fen": fen, "returned": returned, "slice": slice_}
    connection.execute(_ADD, facts)
