"""The log, audited (日志审计): every entry made again from its row, and what has no entry.

The join is by what an entry names (bucket, day, id), so a row that moved is seen twice: as an
entry whose row is gone, and as a row that is nowhere in the log.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.anchoring.leaves import Fact, Opening, entry_of
from app.audit.openings import Openings
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.encoding import entry_body
from ledger.findings import FindingKind, LogRow

OWNER: Final = """case when greatest(t.source, t.target) >= 65536
                  then greatest(t.source, t.target) & ~1::int8 end"""
WAITING: Final = """
waiting as (select bucket, recorded_on, id from log_pending
            union all select bucket, recorded_on, id from epoch_staging)"""

_ENTRIES: Final = f"""
with entry as (
  select e.log_index, e.leaf, e.owner as told, e.bucket, e.recorded_on, e.id,
         coalesce(t.code, n.code) as code, t.source, t.target, t.asset, t.amount,
         coalesce(t.occurred_on, n.recorded_on) as day, t.corrects, t.evidence,
         case when t.id is null then n.account else {OWNER} end as owner
    from log_entry e
    left join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
    left join log_note n on (n.bucket, n.recorded_on, n.id) = (e.bucket, e.recorded_on, e.id))
select e.log_index, e.leaf, e.told, c.log_index, e.bucket, e.recorded_on, e.id, e.code,
       e.source, e.target, e.asset, e.amount, x.key, e.day, e.corrects, e.evidence, e.owner,
       a.akey, s.sealed
  from entry e
  left join log_entry c on c.id = e.corrects
  left join asset x on x.id = e.asset
  left join account a on a.id = e.owner
  left join account_secret s on s.account = e.owner
 order by e.log_index"""  # noqa: S608 -- constants of this file
_UNQUEUED: Final = f"""
with {WAITING}, row as (
  select 'transfer' as kind, bucket, recorded_on, id from transfer
  union all select 'note', bucket, recorded_on, id from log_note)
select r.kind || ' ' || r.id, case when e.id is null then 'is neither in the log nor waits for it'
                                   else 'is in the log, and waits for it again' end
  from row r
  left join log_entry e on (e.bucket, e.recorded_on, e.id) = (r.bucket, r.recorded_on, r.id)
  left join waiting w on (w.bucket, w.recorded_on, w.id) = (r.bucket, r.recorded_on, r.id)
 where (e.id is null) = (w.id is null)
union all
select 'id ' || w.id, 'waits for the log, and its row is gone'
  from waiting w
  left join transfer t on (t.bucket, t.recorded_on, t.id) = (w.bucket, w.recorded_on, w.id)
  left join log_note n on (n.bucket, n.recorded_on, n.id) = (w.bucket, w.recorded_on, w.id)
 where t.id is null and n.id is null
union all
select 'id ' || id, 'waits for the log ' || count(*) || ' times'
  from waiting group by id having count(*) > 1"""  # noqa: S608 -- constants of this file


def log_rows(connection: Connection, openings: Openings, sheet: Sheet) -> Iterator[LogRow]:
    """Give every place in the log with the bytes that its row makes now."""

    def row(
        log_index: int,
        leaf: bytes,
        told: int | None,
        corrects: int | None,
        *fact: Any,  # noqa: ANN401 -- the columns of Fact, in its order
    ) -> LogRow:
        made = Fact(*fact)
        folded = made.owner if made.source is not None else None
        if told != folded:
            where = f"log_index {log_index}, id {made.id}"
            sheet.find(FindingKind.ENTRY, where, f"filed under owner {told}, moves {folded}")
        opening = openings.opening(made.owner, made.akey, made.sealed)
        is_closed = made.owner is not None and opening is None
        gone = made.code is None  # pyright: ignore[reportUnnecessaryComparison] -- an outer join found nothing
        body = None if gone or is_closed else _body(made, opening)
        return LogRow(log_index, made.id, leaf, body, corrects, is_erased=is_closed)

    return stream(connection, row, _ENTRIES)


def _body(fact: Fact, opening: Opening | None) -> bytes:
    """Make an entry's bytes; none that could be right if the row says what no entry can."""
    if fact.source is not None and fact.asset_key is None:
        return b""
    try:
        return entry_body(entry_of(fact, opening))
    except (OverflowError, LookupError):
        return b""


def check_queue(connection: Connection, sheet: Sheet) -> None:
    """Hold every row to exactly one place: in the log, or waiting for it."""
    for where, detail in stream(connection, lambda *row: row, _UNQUEUED):
        sheet.find(Kind.QUEUE, where, detail)
