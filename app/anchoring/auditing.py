"""Rows for the audit (审计取数): log, map and headers as ``ledger.audit`` reads them.

Streams over one snapshot, with flat memory: run them inside one ``db.read`` of the audit role,
on which several may be open at once. Hashes of headers come from the chain, never from here.
"""

from collections.abc import Iterator
from typing import Any, Final, LiteralString, NamedTuple

from app.anchoring.cells import CELL_COLUMNS
from app.anchoring.leaves import Fact, entry_of, opening_of, part_of, unit_of_asset
from app.kernel.db import Connection
from app.kernel.secrets import Keys
from ledger.chart import Code
from ledger.encoding import entry_body, leaf_salt
from ledger.findings import (
    AnchorRow,
    CellRow,
    Finding,
    FindingKind,
    FoldRow,
    HeaderRow,
    LeafRow,
    LiveRow,
    LogRow,
)
from ledger.header import Header

ROWS_PER_FETCH: Final = 5_000

_LOG = """
select e.log_index, e.leaf, r.log_index,
       e.bucket, e.recorded_on, e.id, coalesce(t.code, n.code), t.source, t.target, t.asset,
       t.amount, x.key, coalesce(t.occurred_on, n.recorded_on), t.corrects, t.evidence,
       o.owner, a.akey, s.sealed
  from log_entry e
  left join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
  left join log_note n on (n.bucket, n.recorded_on, n.id) = (e.bucket, e.recorded_on, e.id)
 cross join lateral (select case when t.id is null then n.account
   when greatest(t.source, t.target) >= 65536 then greatest(t.source, t.target) & ~1::bigint
   end as owner) o
  left join asset x on x.id = t.asset
  left join account a on a.id = o.owner
  left join account_secret s on (s.bucket, s.account) = (a.bucket, a.id)
  left join log_entry r on r.id = t.corrects
 order by e.log_index"""
# The owner is read from the transfer and not from the log: a row that was moved shows on both.
_FOLDS = """
select a.akey, e.log_index, e.leaf, t.source, t.target, t.asset, t.amount
  from log_entry e
  join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
  join account a on a.id = greatest(t.source, t.target) & ~1::bigint
 where greatest(t.source, t.target) >= 65536 and a.akey is not null
 order by a.akey, e.log_index"""
_ANCHORS = """
select n.akey, n.ver, n.epoch_from, n.entries, n.mg_credits, n.mg_debits, n.points_credits,
       n.points_debits, n.head, a.id, s.sealed
  from account_anchor n
  left join account a on a.akey = n.akey
  left join account_secret s on (s.bucket, s.account) = (a.bucket, a.id)
 order by n.akey"""
_LEAVES = """
select distinct on (akey) akey, leaf from account_leaf order by akey, epoch_from desc"""
_CELLS = f"""
select distinct on (cell) cell, {CELL_COLUMNS} from cell where bits = %s
 order by cell, epoch_from desc"""  # noqa: S608 -- a constant
_HEADERS = "select epoch, header, hash from epoch order by epoch"
_STALE = """
with last as (
  select distinct on (akey) * from account_leaf order by akey, epoch_from desc)
select coalesce(n.akey, l.akey), n.akey is null, l.akey is null
  from account_anchor n full join last l on l.akey = n.akey
 where (n.ver, n.epoch_from, n.entries, n.mg_credits, n.mg_debits, n.points_credits,
        n.points_debits, n.head, n.leaf)
    is distinct from
       (l.ver, l.epoch_from, l.entries, l.mg_credits, l.mg_debits, l.points_credits,
        l.points_debits, l.head, l.leaf)"""
_LIVE = """
with movement as (
  select source, target, asset, amount from epoch_staging where amount is not null
  union all
  select t.source, t.target, t.asset, t.amount from log_pending p
    join transfer t on (t.bucket, t.recorded_on, t.id) = (p.bucket, p.recorded_on, p.id)
), net as (
  select account & ~1::bigint as owner, asset, credits - debits as live, 0::int8 as anchored,
         0::int8 as waiting from balance
  union all select source & ~1::bigint, asset, 0, 0, -amount from movement where source >= 65536
  union all select target & ~1::bigint, asset, 0, 0, amount from movement where target >= 65536
  union all select owner, 1, 0, mg_credits - mg_debits, 0 from account_anchor
             where owner is not null
  union all select owner, 3, 0, points_credits - points_debits, 0 from account_anchor
             where owner is not null
)
select owner, case when asset & 7 = 3 then 2 else 1 end, sum(live)::int8, sum(anchored)::int8,
       sum(waiting)::int8
  from net where asset & 7 in (1, 2, 3) group by 1, 2 order by 1, 2"""
_ERASURES = """
select count(*) from log_note n join log_entry e on e.id = n.id where n.code = %s"""

FoldRows = tuple[Iterator[FoldRow], Iterator[AnchorRow], Iterator[LeafRow]]


class AnchorRows(NamedTuple):
    """Everything that anchoring has for ``ledger.audit`` and ``ledger.audit_map``."""

    headers: Iterator[HeaderRow]
    log: Iterator[LogRow]
    map_rows: FoldRows
    cells: Iterator[CellRow]
    live: Iterator[LiveRow]
    header: Header | None
    """Of the last epoch, as the database has it."""
    erasures: int


def anchor_rows_for_audit(connection: Connection, keys: Keys) -> AnchorRows:
    """Open the streams of one snapshot; each can be read once."""
    row = connection.execute("select header from epoch order by epoch desc limit 1").fetchone()
    header = Header.of(row[0]) if row else None
    erased = connection.execute(_ERASURES, (Code.ERASE,)).fetchone()
    return AnchorRows(
        headers=header_rows(connection),
        log=log_rows(connection, keys),
        map_rows=(fold_rows(connection), anchor_rows(connection, keys), leaf_rows(connection)),
        cells=cell_rows(connection, header.bits if header else 0),
        live=live_rows(connection),
        header=header,
        erasures=erased[0] if erased else 0,
    )


def log_rows(connection: Connection, keys: Keys) -> Iterator[LogRow]:
    """Give every place in the log, with the bytes that its row makes now."""
    for log_index, leaf, corrects, *row in _stream(connection, "audit_log", _LOG):
        fact = Fact._make(row)
        opening = opening_of(keys, fact)
        is_erased = fact.owner is not None and opening is None
        body = None
        if fact.code is not None and not is_erased:  # pyright: ignore[reportUnnecessaryComparison] -- an outer join found nothing
            body = entry_body(entry_of(fact, opening))
        yield LogRow(log_index, fact.id, leaf, body, corrects, is_erased)


def fold_rows(connection: Connection) -> Iterator[FoldRow]:
    """Give every entry under its owner's key, in log order."""
    rows = _stream(connection, "audit_folds", _FOLDS)
    for akey, log_index, leaf, source, target, asset, amount in rows:
        part = part_of(source, target)
        assert part is not None, log_index
        yield FoldRow(akey, log_index, leaf, part, unit_of_asset(asset), amount)


def anchor_rows(connection: Connection, keys: Keys) -> Iterator[AnchorRow]:
    """Give every owner's anchored state, with the salt of its leaf while it can be opened."""
    for akey, ver, epoch, entries, *more in _stream(connection, "audit_anchors", _ANCHORS):
        *sums, head, owner, sealed = more
        salt = None if sealed is None else leaf_salt(keys.open(sealed, owner=owner), ver)
        yield AnchorRow(akey, ver, epoch, entries, (*sums,), head, salt)


def leaf_rows(connection: Connection) -> Iterator[LeafRow]:
    """Give every owner's stored account hash."""
    for akey, leaf in _stream(connection, "audit_leaves", _LEAVES):
        yield LeafRow(akey, leaf)


def cell_rows(connection: Connection, bits: int) -> Iterator[CellRow]:
    """Give the current cells."""
    for cell, accounts, *sums, leaf_root, node in _stream(
        connection, "audit_cells", _CELLS, (bits,)
    ):
        yield CellRow(cell, accounts, (*sums,), leaf_root, node)


def header_rows(connection: Connection) -> Iterator[HeaderRow]:
    """Give every stored header."""
    for epoch, data, hash_ in _stream(connection, "audit_headers", _HEADERS):
        yield HeaderRow(epoch, data, hash_)


def live_rows(connection: Connection) -> Iterator[LiveRow]:
    """Give every owner's balances three ways: live, anchored, and waiting for the next epoch."""
    for owner, unit, live, anchored, waiting in _stream(connection, "audit_live", _LIVE):
        yield LiveRow(f"account {owner}", unit, live, anchored, waiting)


def check_current_leaves(connection: Connection) -> Iterator[Finding]:
    """Hold the current state of every owner to the last of its versions."""
    for akey, anchor_gone, history_gone in _stream(connection, "audit_stale", _STALE):
        gone = "account_anchor" if anchor_gone else "account_leaf" if history_gone else None
        told = f"its row in {gone} is gone" if gone else "its current row is not its last version"
        yield Finding(FindingKind.LEAF, f"account {akey.hex()}", told)


def _stream(
    connection: Connection, name: str, query: LiteralString, values: tuple[object, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name=name, binary=True) as cursor:
        cursor.itersize = ROWS_PER_FETCH
        yield from cursor.execute(query, values)
