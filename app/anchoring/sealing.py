"""Sealing (封期): the one transaction in which an epoch comes to be.

Everything before it can be done again and is seen by nobody; everything after it follows from
the rows it leaves.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from psycopg.types.json import Jsonb
from sqlmodel import Session

from app.anchoring.cancelling import cancellation_of
from app.anchoring.cells import hash_cells, store_cells, sum_tree, touched_cells
from app.anchoring.claiming import Cut, is_claimed, lock, open_cut
from app.anchoring.folding import Folder
from app.anchoring.owing import append_debts, digest_of_debts
from app.anchoring.rounds import ORDER, hash_corrections
from app.anchoring.supply import append_supply, digest_of_supply
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from app.registry.telling import tell_chain
from ledger.account_map import Node, bits_for
from ledger.assets import methodology_key
from ledger.encoding import ZERO_HASH
from ledger.extras import aux_root, methodology_root
from ledger.header import Header, origin_tag
from ledger.log import Edge
from ledger.registry import record
from ledger.tiles import append

LEAVES_PER_READ: Final = 1 << 16

Methodologies = Mapping[tuple[str, int], bytes]
"""(code, version) → SHA-256 of the published document."""
Digests = Callable[[Session], Mapping[str, bytes]]
"""What other domains commit to, asked within the sealing: no later epoch has an older answer."""

_LAST = "select header, hash, bits from epoch order by epoch desc limit 1"
_EDGE = "select size, rows from log_edge order by epoch desc limit 1"
_LOG = f"""
insert into log_entry (log_index, epoch, bucket, recorded_on, id, owner, leaf)
select %s + row_number() over (order by {ORDER}) - 1, %s, bucket, recorded_on, id, owner, leaf
  from epoch_staging order by {ORDER}"""  # noqa: S608 -- a constant
_LEAVES = "select leaf from log_entry where log_index >= %s order by log_index"
_EPOCH = """
insert into epoch (epoch, header, hash, log_size, bits, closed_at, extras)
values (%s, %s, %s, %s, %s, %s, %s)"""


class Contents(NamedTuple):
    """What the header says beside the entries; from the configuration and from other domains."""

    origin: str
    methodologies: Methodologies
    digests: Digests
    """For ``aux``, by registered name; supply, debts and cancellations are added here."""


class Before(NamedTuple):
    """Where the last epoch left things."""

    hash: bytes
    bits: int | None
    accounts: int
    edge: Edge


def seal(session: Session, keys: Keys, contents: Contents, *, epoch: int) -> Header | None:
    """Number, fold, hash and write down the epoch; all of it becomes visible at once.

    Returns:
        The header; ``None`` if rows of the cut are still in the queue, or another closer
        sealed this epoch first.

    Raises:
        PendingIncomplete: A row that an entry needs is gone.
    """
    connection = driver(session)
    lock(connection)
    cut = open_cut(connection)
    if cut is None or cut.epoch != epoch or not is_claimed(session, epoch=epoch):
        return None
    before = _before(connection)
    hash_corrections(connection, log_size=before.edge.size)
    connection.execute(_LOG, (before.edge.size, epoch))
    edge = _extend(connection, before.edge)
    bits, root = _map(connection, keys, before, epoch=epoch)
    digests = _digests(session, contents, cut)
    versions = sorted(
        (methodology_key(code, version), digest)
        for (code, version), digest in contents.methodologies.items()
    )
    header = Header(
        origin_tag=origin_tag(contents.origin),
        bits=bits,
        epoch=epoch,
        closed_at=int(cut.closed_at.timestamp()),
        log_size=edge.size,
        account_count=root.accounts,
        log_root=edge.root(),
        account_root=root.hash,
        methodology_root=methodology_root(versions),
        sums=root.sums,
        aux=aux_root(digests),
        previous=before.hash,
    )
    extras = {
        "methodologies": [[key.hex(), digest.hex()] for key, digest in versions],
        "aux": {name: digest.hex() for name, digest in digests.items()},
    }
    _write(connection, header, cut, edge, extras)
    # Not emptied whole: an audit's older snapshot must go on seeing these rows.
    connection.execute("delete from epoch_staging")
    return header


def _digests(session: Session, contents: Contents, cut: Cut) -> dict[str, bytes]:
    """Bring the sums up to the epoch, tell the registry, and give what ``aux`` commits to."""
    connection = driver(session)
    append_supply(connection, epoch=cut.epoch)
    append_debts(connection, epoch=cut.epoch)
    digests = {
        **contents.digests(session),
        **digest_of_debts(connection, epoch=cut.epoch),
        "supply": digest_of_supply(connection, epoch=cut.epoch),
    }
    if cancelled := cancellation_of(connection, epoch=cut.epoch):
        digests["cancellations"] = record(cancelled)
        tell_chain(session, cancelled, at=cut.closed_at)
    return digests


def _before(connection: Connection) -> Before:
    last = connection.execute(_LAST).fetchone()
    found = connection.execute(_EDGE).fetchone()
    edge = Edge(found[0], tuple(found[1])) if found else Edge()
    if last is None:
        return Before(ZERO_HASH, None, 0, edge)
    header = Header.of(last[0])
    assert header.log_size == edge.size, (header, edge.size)
    return Before(last[1], last[2], header.account_count, edge)


def _extend(connection: Connection, edge: Edge) -> Edge:
    """Append the new entries' leaves to the edge of the log."""
    with connection.cursor(name="leaves", binary=True) as cursor:
        cursor.execute(_LEAVES, (edge.size,))
        while rows := cursor.fetchmany(LEAVES_PER_READ):
            edge, _ = append(edge, (leaf for (leaf,) in rows))
    return edge


def _map(connection: Connection, keys: Keys, before: Before, *, epoch: int) -> tuple[int, Node]:
    """Fold, and hash the touched cells; give b and the root of the account map."""
    changed = Folder(connection, keys, epoch=epoch).run()
    row = connection.execute("select count(*) from account_next where ver = 1").fetchone()
    accounts = before.accounts + (row[0] if row else 0)
    bits = bits_for(accounts)
    cells = touched_cells(changed, bits=bits, bits_before=before.bits)
    store_cells(connection, hash_cells(connection, cells, bits), bits=bits, epoch=epoch)
    return bits, sum_tree(connection, bits=bits, epoch=epoch).root


def _write(
    connection: Connection, header: Header, cut: Cut, edge: Edge, extras: Mapping[str, object]
) -> None:
    when: datetime = cut.closed_at
    row = (header.epoch, header.to_bytes(), header.hash(), header.log_size, header.bits, when)
    connection.execute(_EPOCH, (*row, Jsonb(extras)))
    connection.execute(
        "insert into log_edge (epoch, size, rows) values (%s, %s, %s)",
        (header.epoch, edge.size, list(edge.rows)),
    )
