"""Acts of grade C and their points (行为积分): in which order, and who goes without (R27).

A chunk without such an act asks nothing. What a reward gives is decided in ``app.points``; here is
what an upload knows: that acts are served in the order of (occurred_at, external id), and that one
which an empty budget cannot pay is ineligible before anything of it is stored.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from app.activities.matching import disqualify
from app.activities.preparing import GRADE_C, Candidate
from app.kernel.db import Connection
from app.points import Behaviour, Reserved, reserve

EXHAUSTED: Final = "budget.exhausted"
_EXHAUST: Final = "update incoming set reason = 'budget.exhausted' where activity = any(%s)"


def reserve_points(
    connection: Connection,
    methodology: str,
    fresh: Sequence[Candidate],
    late: Collection[UUID],
    *,
    today: date,
) -> Reserved:
    """Promise the points of staged acts; those that cannot be paid get their reason."""
    acts = {
        each.id: each
        for each in fresh
        if each.asset is None and not each.reason and each.note is GRADE_C and each.id not in late
    }
    if not acts:
        return Reserved()
    served = sorted(acts.values(), key=lambda e: (e.item.occurred_at, e.item.external_id))
    told = [Behaviour(each.id, each.owner, each.day) for each in served]
    made = reserve(connection, methodology, told, today=today, home=served[0].bucket)
    if made.exhausted:
        connection.execute(_EXHAUST, (sorted(made.exhausted),))
        for act in made.exhausted:
            disqualify(acts[act], EXHAUSTED)
    return made
