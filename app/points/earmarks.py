"""Earmarks (预算占用): fen of a programme's budget that its points out there may claim (R27).

A budget's money is in the books; how much of it is promised lies in the counters of its slices,
so that a city that earns at once does not queue at one row. Points take from a slice in the
transaction that grants them. Points that leave their owner unspent leave a row in a queue, and a
job gives back what was promised for them.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from app.books import Row
from app.kernel.db import Connection

_DUE: Final = """
insert into earmark_due (bucket, programme, points)
select t.bucket, p.id, t.points
  from unnest(%s::int2[], %s::int4[], %s::int8[]) as t (bucket, asset, points)
  join asset x on x.id = t.asset
  join programme p on p.code = x.programme"""


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
