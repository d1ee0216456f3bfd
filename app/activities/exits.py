"""Taking milligrams back (更正来源): from the holder first, then from where they went (R6).

What was pooled or absorbed comes next, what was issued of it, the newest batch first, then what was
given, then what was cancelled, so each gram keeps one exit. What such a correction owes in points
``app.points.recover`` settles; what it takes of issued grams is a shortfall of their batch, which
the buffer makes good. Whoever reaches into the pool takes turns with an issuance from it.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of

POOL: Final = SYSTEM_ACCOUNTS["pool"]
ISSUED: Final = SYSTEM_ACCOUNTS["issued"]
_BEFORE: Final = (POOL, SYSTEM_ACCOUNTS["absorbed"])
_AFTER: Final = (SYSTEM_ACCOUNTS["given"], SYSTEM_ACCOUNTS["cancelled"])
_GRADE_A: Final = 1
_CLASS: Final = 7
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
_TURN: Final = "select pg_advisory_xact_lock_shared(hashtext('issuance'), %s)"
_PLACED: Final = """
select p.batch, p.mg::int8, (p.mg - coalesce(s.mg, 0))::int8
  from (select i.bucket, i.batch, sum(upper(i.place) - lower(i.place)) as mg from issued_row i
         where i.bucket = %(bucket)s and i.account = %(owner)s and i.asset = %(asset)s
         group by i.bucket, i.batch) p
  join issue_batch b on b.id = p.batch
  left join (select h.bucket, h.batch, sum(h.mg) as mg from issued_shortfall h
              where h.bucket = %(bucket)s and h.account = %(owner)s
              group by h.bucket, h.batch) s
    on s.bucket = p.bucket and s.batch = p.batch
 order by b.number desc"""
_FALL: Final = """
insert into issued_shortfall (bucket, account, id, batch, mg, recorded_on)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[], %s::int8[], %s::date[])"""
Holding = tuple[int, int]
"""(owner, asset)."""
_Exit = tuple[int, UUID | None]


class Took(NamedTuple):
    """Milligrams of one place that a correction takes from."""

    place: int
    """The account: the holder's, or one that they left to."""
    mg: int
    batch: UUID | None = None
    """Of what was issued, in which batch."""


class Shortfall(NamedTuple):
    """What a correction takes of issued grams (签发差额)."""

    bucket: int
    owner: int
    transfer: UUID
    batch: UUID
    mg: int
    recorded_on: date


def note_shortfalls(connection: Connection, rows: Iterable[Shortfall]) -> None:
    """Note what batches are short of from now on, beside the transfers that take it."""
    if columns := [list(column) for column in zip(*rows, strict=True)]:
        connection.execute(_FALL, columns)


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
        self._gone: dict[Holding, dict[_Exit, int]] = {}

    def take(self, holding: Holding, amount_mg: int) -> list[Took]:
        """Say where ``amount_mg`` are taken from."""
        owner, _ = holding
        taken: list[Took] = []
        from_holder = min(amount_mg, self._held.get(holding, 0))
        if from_holder:
            self._held[holding] -= from_holder
            taken.append(Took(owner, from_holder))
        missing = amount_mg - from_holder
        for exit_, mg in self._left(holding).items() if missing else ():
            part = min(mg, missing)
            if part > 0:
                self._gone[holding][exit_] -= part
                missing -= part
                place, batch = exit_
                taken.append(Took(place, part, batch))
        assert missing == 0, (holding, amount_mg, missing)
        return taken

    def _left(self, holding: Holding) -> dict[_Exit, int]:
        if holding not in self._gone:
            owner, asset = holding
            facts = {
                "bucket": bucket_of(owner),
                "owner": owner,
                "asset": asset,
                "exits": [*_BEFORE, *_AFTER],
            }
            placed = self._placed(facts)
            left: dict[_Exit, int] = {(place, None): 0 for place in _BEFORE}
            left |= {(ISSUED, batch): mg for batch, _, mg in placed}
            left |= {(place, None): 0 for place in _AFTER}
            for place, mg in self._connection.execute(_GONE, facts).fetchall():
                left[place, None] += mg
            left[POOL, None] -= sum(mg for _, mg, _ in placed)
            self._gone[holding] = left
        return self._gone[holding].copy()

    def _placed(self, facts: Mapping[str, object]) -> list[tuple[UUID, int, int]]:
        """Give the batches, what each was issued of this holder's, and what is left of it."""
        asset = facts["asset"]
        assert isinstance(asset, int)
        if asset & _CLASS != _GRADE_A:
            return []
        self._connection.execute(_TURN, (asset,))
        return self._connection.execute(_PLACED, facts).fetchall()
