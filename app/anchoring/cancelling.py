"""An epoch's cancellations (期内自愿注销): one root and two sums, for ``aux`` and the registry.

What citizens and organisations gave up of reductions lies in the log, entry by entry; the chain
gets the root over those entries' leaves, in the log's order, and what they are in all. An epoch
without any has no such message and no such name in ``aux``.
"""

from typing import Final

from app.anchoring.rounds import ORDER
from app.kernel.db import Connection
from ledger.chart import Code
from ledger.log import Edge
from ledger.registry import EpochCancellation
from ledger.tiles import append

LEAVES_PER_READ: Final = 1 << 16
_SUMS: Final = """
select coalesce(sum(amount) filter (where asset & 7 = 1), 0)::int8,
       coalesce(sum(amount) filter (where asset & 7 = 2), 0)::int8
  from epoch_staging where code = %s"""
_LEAVES: Final = f"select leaf from epoch_staging where code = %s order by {ORDER}"  # noqa: S608 -- a constant


def cancellation_of(connection: Connection, *, epoch: int) -> EpochCancellation | None:
    """Sum up the cancellations among the claimed entries, whose order is known; None of none."""
    code = int(Code.CANCEL)
    ((mg_a, mg_b),) = connection.execute(_SUMS, (code,)).fetchall()
    if not mg_a and not mg_b:
        return None
    edge = Edge()
    with connection.cursor(name="cancelled", binary=True) as cursor:
        cursor.execute(_LEAVES, (code,))
        while rows := cursor.fetchmany(LEAVES_PER_READ):
            edge, _ = append(edge, (leaf for (leaf,) in rows))
    return EpochCancellation(epoch, edge.root(), mg_a, mg_b)
