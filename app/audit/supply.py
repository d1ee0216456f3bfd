"""Supply, audited (供应审计): what system accounts gave and took, added up from the entries.

Header after header, so that the digest in every ``aux`` is held to the rows it was made from.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from app.anchoring.leaves import UNIT_OF_CLASS
from app.audit.headers import Epoch, headers_of
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.accounts import SYSTEM_NAMES
from ledger.audit import check_clearing, check_supply
from ledger.extras import SupplyRow, supply_digest
from ledger.findings import FindingKind

_ENTERED: Final = """
with side as (
  select e.epoch, t.asset, m.system, sum(m.debits)::int8 as debits, sum(m.credits)::int8 as credits
    from log_entry e
    join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
   cross join lateral (values (t.source, t.amount, 0), (t.target, 0, t.amount))
              as m (system, debits, credits)
   where m.system < 65536 group by 1, 2, 3)
select s.epoch, s.asset, s.system::int4, x.key, s.debits, s.credits
  from side s left join asset x on x.id = s.asset order by 1, 2, 3"""
_STORED: Final = """
select epoch_from, asset, system, debits, credits from supply order by 1, 2, 3"""
_CLEARING: Final = """
select x.key, m.debits, m.credits
  from (select asset, sum(case when source = 21 then amount else 0 end)::int8 as debits,
               sum(case when target = 21 then amount else 0 end)::int8 as credits
          from transfer where 21 in (source, target) group by asset) m
  join asset x on x.id = m.asset"""

Totals = dict[tuple[int, int], SupplyRow]
"""(asset, system account) → what it gave and took since the beginning."""


def check_the_supply(connection: Connection, rows: Sequence[Epoch], sheet: Sheet) -> None:
    """Hold every epoch's supply to its entries, and the owners' totals to the last one."""
    entered = {
        epoch: list(group)
        for epoch, group in groupby(
            stream(connection, lambda *row: row, _ENTERED), key=itemgetter(0)
        )
    }
    stored = {
        epoch: {(asset, system): (debits, credits) for _, asset, system, debits, credits in group}  # noqa: A001 -- the ledger's word
        for epoch, group in groupby(connection.execute(_STORED).fetchall(), key=itemgetter(0))
    }
    totals: Totals = {}
    for row in rows:
        changed = _added(totals, entered.get(row.number, []), sheet)
        told = stored.pop(row.number, {})
        for place in sorted(changed.keys() | told.keys()):
            if changed.get(place) != told.get(place):
                where = f"asset {place[0]}, {SYSTEM_NAMES.get(place[1], place[1])}, {row.where}"
                detail = f"stored {told.get(place)}, its entries give {changed.get(place)}"
                sheet.find(FindingKind.SUPPLY, where, detail)
        digest = supply_digest(totals.values()).hex()
        if row.digest("supply") != digest:
            sheet.find(FindingKind.SUPPLY, row.where, "its entries give another digest in aux")
    for epoch in stored:
        sheet.find(FindingKind.SUPPLY, f"epoch {epoch}", "supply of an epoch that is not there")
    sheet.checked["supply"] = len(totals)
    if headers := headers_of(rows[-1:]):
        sheet.add(check_supply(totals.values(), headers[0]))


def _added(
    totals: Totals, rows: Sequence[tuple[int, ...]], sheet: Sheet
) -> dict[tuple[int, int], tuple[int, int]]:
    """Add an epoch's entries to the totals; give those that changed."""
    changed: dict[tuple[int, int], tuple[int, int]] = {}
    for _, asset, system, key, debits, credits in rows:  # noqa: A001 -- the ledger's word
        name = SYSTEM_NAMES.get(system)
        if not isinstance(key, bytes) or name is None:
            missing = f"asset {asset}" if name else f"system account {system}"
            sheet.find(Kind.ASSET, missing, "transfers name it, and its row is gone")
            continue
        unit = UNIT_OF_CLASS[asset & 7] if asset & 7 < len(UNIT_OF_CLASS) else 0
        before = totals.get((asset, system), SupplyRow(key, unit, name, 0, 0))
        after = before._replace(debits=before.debits + debits, credits=before.credits + credits)
        totals[asset, system] = after
        changed[asset, system] = (after.debits, after.credits)
    return changed


def check_the_clearing(connection: Connection, sheet: Sheet) -> None:
    """Hold clearing to zero: on one database both legs of a movement are one transaction."""
    rows = [
        SupplyRow(key, 0, "clearing", debits, credits)
        for key, debits, credits in connection.execute(_CLEARING)  # noqa: A001 -- the ledger's word
    ]
    sheet.add(check_clearing(rows))
