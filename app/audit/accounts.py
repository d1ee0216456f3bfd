"""Accounts, audited (账户审计): the four sorted streams of the map, and whose accounts they are."""

from collections.abc import Iterator
from typing import Final

from app.anchoring.leaves import part_of, unit_of_asset
from app.audit.log import OWNER, WAITING
from app.audit.openings import Openings
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.account_map import cell_number
from ledger.audit import check_live
from ledger.audit_map import check_map
from ledger.chart import Code
from ledger.encoding import leaf_salt
from ledger.findings import (
    AnchorRow,
    CellRow,
    FindingKind,
    FoldRow,
    LeafRow,
    LiveRow,
)
from ledger.folding import Part
from ledger.header import Header

_STATE: Final = "ver, epoch_from, entries, mg_credits, mg_debits, points_credits, points_debits"
_FOLDS: Final = f"""
select a.akey, e.log_index, e.leaf, t.source, t.target, t.asset, t.amount
  from log_entry e
  join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
  join account a on a.id = {OWNER}
 where a.akey is not null
 order by a.akey, e.log_index"""  # noqa: S608 -- constants of this file
_ANCHORS: Final = f"""
select n.akey, {_STATE}, n.head, n.owner, s.sealed
  from account_anchor n left join account_secret s on s.account = n.owner
 order by n.akey"""  # noqa: S608 -- constants of this file
_LEAVES: Final = """
select distinct on (akey) akey, leaf from account_leaf order by akey, epoch_from desc"""
_CELLS: Final = """
select distinct on (cell) cell, accounts, mg_credits, mg_debits, points_credits, points_debits,
       leaf_root, node
  from cell where bits = %s order by cell, epoch_from desc"""
_ERASURES: Final = """
select count(*) from log_entry e
  join log_note n on (n.bucket, n.recorded_on, n.id) = (e.bucket, e.recorded_on, e.id)
 where n.code = %s"""
_HISTORY: Final = f"""
select coalesce(n.akey, l.akey), 'the current leaf and its history differ'
  from account_anchor n
  full join (select distinct on (akey) * from account_leaf order by akey, epoch_from desc) l
    on l.akey = n.akey
 where n.akey is not null and l.akey is not null
   and ({", ".join(f"n.{c.strip()}" for c in _STATE.split(","))}, n.head, n.leaf)
    is distinct from
       ({", ".join(f"l.{c.strip()}" for c in _STATE.split(","))}, l.head, l.leaf)"""  # noqa: S608 -- constants of this file
_OWNERS: Final = """
select n.akey, 'owner ' || n.owner || ' is gone' from account_anchor n
 where n.owner is not null and not exists (select from account a where a.id = n.owner)
union all
select n.akey, 'owner ' || n.owner || ' has another key now' from account_anchor n
  join account a on a.id = n.owner where a.akey is distinct from n.akey
union all
select akey, 'is the key of owners ' || string_agg(id::text, ', ' order by id)
  from account where akey is not null group by akey having count(*) > 1"""
_SECRETS: Final = """
select a.id, s.sealed from account a
  left join account_secret s on (s.bucket, s.account) = (a.bucket, a.id)
 where a.id & 1 = 0
   and not exists (select from log_note n where n.account = a.id and n.code = %s)"""
_LIVE: Final = f"""
with {WAITING}, unit (class, unit) as (values (1, 1), (2, 1), (3, 2)),
live as (
  select b.account & ~1::int8 as owner, u.unit, sum(b.credits - b.debits) as net
    from balance b join unit u on u.class = b.asset & 7 group by 1, 2),
moved as (
  select {OWNER} as owner, u.unit,
         sum(case when t.source >= 65536 and t.target >= 65536 then 0
                  when t.target >= 65536 then t.amount else -t.amount end) as net
    from waiting w
    join transfer t on (t.bucket, t.recorded_on, t.id) = (w.bucket, w.recorded_on, w.id)
    join unit u on u.class = t.asset & 7
   where greatest(t.source, t.target) >= 65536 group by 1, 2),
anchored as (
  select owner, 1 as unit, mg_credits - mg_debits as net from account_anchor
   where owner is not null
  union all
  select owner, 2, points_credits - points_debits from account_anchor where owner is not null)
select 'account ' || owner, unit, coalesce(l.net, 0)::int8, coalesce(a.net, 0)::int8,
       coalesce(m.net, 0)::int8
  from live l full join anchored a using (owner, unit) full join moved m using (owner, unit)"""  # noqa: S608 -- constants of this file


def check_the_map(connection: Connection, openings: Openings, header: Header, sheet: Sheet) -> None:
    """Hold accounts to entries, leaves to accounts, cells to leaves, and the map to its root."""
    rows = (
        stream(connection, _fold_row, _FOLDS),
        sheet.counted("accounts", _anchors(connection, openings)),
        sheet.counted("leaves", stream(connection, LeafRow, _LEAVES)),
    )
    cells = stream(connection, _cell_row, _CELLS, header.bits)
    noted = connection.execute(_ERASURES, (Code.ERASE,)).fetchone()
    erasures = noted[0] if noted else 0
    sheet.add(check_map(rows, sheet.counted("cells", cells), header, erasures))
    for akey, detail in stream(connection, lambda *row: row, _HISTORY):
        sheet.find(FindingKind.LEAF, _where(akey, header.bits), detail)


def check_owners(connection: Connection, openings: Openings, bits: int, sheet: Sheet) -> None:
    """Hold accounts to their owners: each there once, with its own key and its own secret."""
    for akey, detail in stream(connection, lambda *row: row, _OWNERS):
        sheet.find(FindingKind.ACCOUNT, _where(akey, bits), detail)
    rows = stream(connection, lambda *row: row, _SECRETS, Code.ERASE)
    for owner, sealed in sheet.counted("owners", rows):
        if openings.secret(owner, sealed) is None:
            told = "is gone" if sealed is None else "opens to nobody"
            sheet.find(Kind.SECRET, f"account {owner}", f"its secret {told}, and no erasure noted")


def check_the_living(connection: Connection, sheet: Sheet) -> None:
    """Hold live balances to the anchored ones and what waits for the next epoch (R34)."""
    sheet.add(check_live(sheet.counted("live", stream(connection, LiveRow, _LIVE))))


def _where(akey: bytes, bits: int) -> str:
    return f"account {akey.hex()}, cell {cell_number(akey, bits)}"


def _fold_row(  # noqa: PLR0917 -- one row
    akey: bytes, log_index: int, leaf: bytes, source: int, target: int, asset: int, amount: int
) -> FoldRow:
    try:
        unit = unit_of_asset(asset)
    except LookupError:
        unit = 0  # no such class: the laws name the row
    return FoldRow(akey, log_index, leaf, part_of(source, target) or Part.BOTH, unit, amount)


def _anchors(connection: Connection, openings: Openings) -> Iterator[AnchorRow]:
    def row(akey: bytes, *rest: int | bytes | None) -> AnchorRow:
        *numbers, head, owner, sealed = rest
        # Below zero is nothing that bytes can say; at zero the leaf differs and names the account.
        ver, epoch, entries, *sums = (max(0, n) for n in numbers if isinstance(n, int))
        assert isinstance(head, bytes)
        assert not isinstance(owner, bytes)
        assert not isinstance(sealed, int)
        secret = None if owner is None else openings.secret(owner, sealed)
        salt = None if secret is None else leaf_salt(secret, ver)
        mg_credits, mg_debits, points_credits, points_debits = sums
        counters = (mg_credits, mg_debits, points_credits, points_debits)
        return AnchorRow(akey, ver, epoch, entries, counters, head, salt)

    return stream(connection, row, _ANCHORS)


def _cell_row(  # noqa: PLR0917 -- one row
    number: int,
    accounts: int,
    mg_credits: int,
    mg_debits: int,
    points_credits: int,
    points_debits: int,
    leaf_root: bytes,
    node: bytes,
) -> CellRow:
    sums = (mg_credits, mg_debits, points_credits, points_debits)
    return CellRow(number, accounts, sums, leaf_root, node)
