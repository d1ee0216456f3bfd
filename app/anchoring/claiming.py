"""Claiming (认领): which rows are in an epoch, and moving them to the staging area in chunks.

The first transaction stores one snapshot as the epoch's cut. A row is in the epoch exactly if
the transaction that wrote it is visible in that snapshot, so a transaction is wholly in or
wholly out, however long the chunks take and however often they are interrupted. A claimed row
has left the queue, so a worker that takes over finds only what is still to do.
"""

from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from sqlmodel import Session

from app.anchoring.errors import PendingIncomplete
from app.anchoring.leaves import Fact, Opening, entry_of
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from ledger.encoding import entry_body, entry_leaf

CLOSE_LOCK: Final = 7_211_005
BLOCKS_PER_CHUNK: Final = 128
"""Of the queue's table, about 130 rows each: some 16,000 rows and 20 MB in memory."""

_OPEN = """
select epoch, closed_at from epoch_cut c
 where not exists (select from epoch e where e.epoch = c.epoch)"""
# One statement, hence one snapshot: a row that `exists` sees is visible in the cut.
_CUT = """
insert into epoch_cut (epoch, cut, closed_at)
select coalesce((select max(epoch) from epoch), 0) + 1, pg_current_snapshot(),
       greatest(%s, (select max(closed_at) from epoch) + interval '1 second')
 where exists (select from log_pending)
returning epoch, closed_at"""
_CLAIM = """
with due as (
  delete from log_pending
   where ctid >= format('(%%s,0)', %(block)s::bigint)::tid
     and ctid < format('(%%s,0)', %(block)s::bigint + %(blocks)s)::tid
     and pg_visible_in_snapshot(xid, (select cut from epoch_cut where epoch = %(epoch)s))
  returning bucket, recorded_on, id
)
select d.bucket, d.recorded_on, d.id, t.code, t.source, t.target, t.asset, t.amount, x.key,
       t.occurred_on, t.corrects, t.evidence,
       case when greatest(t.source, t.target) >= 65536
            then greatest(t.source, t.target) & ~1::int8 end, null, null
  from due d
  left join transfer t on (t.bucket, t.recorded_on, t.id) = (d.bucket, d.recorded_on, d.id)
  left join asset x on x.id = t.asset"""
_NOTES = """
select n.bucket, n.recorded_on, n.id, n.code, n.account
  from unnest(%s::int2[], %s::date[], %s::uuid[]) as d (bucket, recorded_on, id)
  join log_note n on (n.bucket, n.recorded_on, n.id) = (d.bucket, d.recorded_on, d.id)"""
_OPENINGS = """
select s.account, a.akey, s.sealed from unnest(%s::int2[], %s::int8[]) as k (bucket, id)
  join account a on (a.bucket, a.id) = (k.bucket, k.id)
  join account_secret s on (s.bucket, s.account) = (k.bucket, k.id)"""
_STAGE = """
copy epoch_staging (bucket, recorded_on, id, code, source, target, asset, amount, owner,
                    round, leaf, body, corrects) from stdin (format binary)"""
_STAGE_TYPES = "int2 date uuid int2 int8 int8 int4 int8 int8 int2 bytea bytea uuid".split()  # noqa: SIM905 -- one row beside the fields


Cursor = psycopg.Cursor[tuple[Any, ...]]
Place = tuple[int, date, UUID]
"""(bucket, recorded_on, id) of a pending row."""


class Cut(NamedTuple):
    """The epoch that is being closed."""

    epoch: int
    closed_at: datetime


def lock(connection: Connection) -> None:
    """Keep other closers out until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", (CLOSE_LOCK,))


def open_cut(connection: Connection) -> Cut | None:
    """Find the epoch that is being closed."""
    found = connection.execute(_OPEN).fetchone()
    return Cut(*found) if found else None


def take_cut(session: Session, *, at: datetime) -> Cut | None:
    """Find the epoch that is being closed, or begin one; ``None`` if nothing is pending.

    An epoch without entries is never begun: its header would say what the last one said.
    """
    connection = driver(session)
    lock(connection)
    if found := open_cut(connection):
        return found
    made = connection.execute(_CUT, (at,)).fetchone()
    return Cut(*made) if made else None


def queue_blocks(session: Session) -> int:
    """Count the blocks of the queue's table."""
    row = driver(session).execute(
        "select pg_relation_size('log_pending') / current_setting('block_size')::int"
    )
    return int((row.fetchone() or (0,))[0])


def claim_chunk(session: Session, keys: Keys, *, epoch: int, block: int) -> int:
    """Move the rows of some blocks that are in the epoch to the staging area; give how many.

    Does nothing once the epoch is sealed.

    Raises:
        PendingIncomplete: A row that it was made from, or its owner's key, is gone.
    """
    connection = driver(session)
    lock(connection)
    cut = open_cut(connection)
    if cut is None or cut.epoch != epoch:
        return 0
    # Few thousand keys into large tables: looked up one by one whatever the statistics say.
    connection.execute("set local enable_hashjoin = off")
    connection.execute("set local enable_mergejoin = off")
    with connection.cursor(binary=True) as cursor:
        parameters = {"epoch": epoch, "block": block, "blocks": BLOCKS_PER_CHUNK}
        rows = cursor.execute(_CLAIM, parameters).fetchall()
        facts = [Fact._make(row) for row in rows if row[3] is not None]
        facts += _notes(cursor, [row[:3] for row in rows if row[3] is None])
        _stage(connection, facts, _openings(cursor, keys, facts))
    return len(rows)


def is_claimed(session: Session, *, epoch: int) -> bool:
    """Say whether nothing of the epoch is left in the queue.

    A rewritten table (``vacuum full``) may have moved rows behind the blocks already read.
    """
    found = driver(session).execute(
        """select exists (select from log_pending where pg_visible_in_snapshot(
             xid, (select cut from epoch_cut where epoch = %s)))""",
        (epoch,),
    )
    return not (found.fetchone() or (True,))[0]


def _notes(cursor: Cursor, missing: list[Place]) -> list[Fact]:
    """Find the notes among the rows that are no transfers."""
    if not missing:
        return []
    found = cursor.execute(_NOTES, [list(column) for column in zip(*missing, strict=True)])
    notes = [
        Fact._make((*row[:4], *(None,) * 5, row[1], None, None, row[4], None, None))
        for row in found
    ]
    if len(notes) != len(missing):
        gone = {row[2] for row in missing} - {fact.id for fact in notes}
        raise PendingIncomplete(rows=len(gone), id=str(min(gone)))
    return notes


def _openings(cursor: Cursor, keys: Keys, facts: list[Fact]) -> dict[int | None, Opening]:
    """Open each owner's secret once a chunk."""
    owners = {fact.owner: fact.bucket for fact in facts if fact.owner is not None}
    found = cursor.execute(_OPENINGS, (list(owners.values()), list(owners))).fetchall()
    return {
        owner: Opening(akey, keys.open(sealed, owner=owner))
        for owner, akey, sealed in found
        if akey is not None
    }


def _stage(connection: Connection, facts: list[Fact], openings: dict[int | None, Opening]) -> None:
    """Hash entries and set them aside; what corrects another waits for it."""
    with (
        connection.cursor() as cursor,
        cursor.copy(_STAGE) as copy,
    ):
        copy.set_types(_STAGE_TYPES)
        for fact in facts:
            opening = openings.get(fact.owner)
            if opening is None and fact.owner is not None:
                raise PendingIncomplete(id=str(fact.id), owner=fact.owner)
            body = entry_body(entry_of(fact, opening))
            leaf, waiting = (entry_leaf(body), None) if fact.corrects is None else (None, body)
            folded = None if fact.source is None else fact.owner
            copy.write_row((*fact[:8], folded, 0, leaf, waiting, fact.corrects))
