"""Taking milligrams back (更正来源): from the holder first, then from where they went (R6).

What was pooled or absorbed comes next, then what was given, then what was cancelled, so each
gram keeps one exit. What such a correction owes in points ``app.points.recover`` settles.
"""

from collections.abc import Collection
from typing import Final

from app.kernel.db import Connection
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of

EXITS: Final = tuple(SYSTEM_ACCOUNTS[name] for name in ("pool", "absorbed", "given", "cancelled"))
_HELD: Final = """
select b.account, b.asset, b.credits - b.debits
  from balance b join unnest(%s::int2[], %s::int8[], %s::int4[]) as k (bucket, account, asset)
    using (bucket, account, asset)
 order by b.bucket, b.account, b.asset for update of b"""
_GONE: Final = """
select target, sum(amount)::int8 from transfer
 where bucket = %(bucket)s and source = %(owner)s and asset = %(asset)s and target = any(%(exits)s)
 group by target
union all
select c.source, -sum(c.amount)::int8
  from transfer c join transfer a on a.bucket = c.bucket and a.recorded_on = c.corrects_on
   and a.id = c.corrects
 where c.bucket = %(bucket)s and c.source = any(%(exits)s) and c.asset = %(asset)s
   and a.target = %(owner)s and a.bucket = %(bucket)s
 group by c.source"""
Holding = tuple[int, int]
"""(owner, asset)."""


class Exits:
    """What can be taken back of some holdings, and from where."""

    def __init__(self, connection: Connection, holdings: Collection[Holding]) -> None:
        """Lock the holdings, in order."""
        self._connection = connection
        keys = sorted((bucket_of(owner), owner, asset) for owner, asset in holdings)
        columns = [[key[place] for key in keys] for place in range(3)]
        self._held: dict[Holding, int] = {
            (owner, asset): held
            for owner, asset, held in connection.execute(_HELD, columns).fetchall()
        }
        self._gone: dict[Holding, dict[int, int]] = {}

    def take(self, holding: Holding, amount_mg: int) -> list[tuple[int, int]]:
        """Give the sources of ``amount_mg`` as (account, mg) pairs."""
        owner, _ = holding
        taken: list[tuple[int, int]] = []
        from_holder = min(amount_mg, self._held.get(holding, 0))
        if from_holder:
            self._held[holding] -= from_holder
            taken.append((owner, from_holder))
        missing = amount_mg - from_holder
        for exit_, mg in self._left(holding).items() if missing else ():
            part = min(mg, missing)
            if part > 0:
                self._gone[holding][exit_] -= part
                missing -= part
                taken.append((exit_, part))
        assert missing == 0, (holding, amount_mg, missing)
        return taken

    def _left(self, holding: Holding) -> dict[int, int]:
        if holding not in self._gone:
            owner, asset = holding
            facts = {
                "bucket": bucket_of(owner),
                "owner": owner,
                "asset": asset,
                "exits": list(EXITS),
            }
            left = dict.fromkeys(EXITS, 0)
            for exit_, mg in self._connection.execute(_GONE, facts).fetchall():
                left[exit_] += mg
            self._gone[holding] = left
        return self._gone[holding].copy()
