"""Receipts from rows (回执): everything that opens one owner's leaf at one epoch, and salts only.

A receipt is a function of immutable rows and of the log's tiles: asked for again, it comes out
the same, but for the place of the anchor.
"""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.anchoring.cells import key_range, sum_tree
from app.anchoring.closing import header_of, last_epoch
from app.anchoring.errors import NotAnchored
from app.anchoring.leaves import Fact, Opening, entry_of
from app.anchoring.publishing import anchoring_of, tile_reader
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from ledger.account_map import Leaf, SumTree, cell_number, prove
from ledger.accounts import FIRST_OWNER_ID, SYSTEM_NAMES, bucket_of
from ledger.encoding import CREDIT_SIDE, DEBIT_SIDE, AccountState, entry_salt, leaf_salt
from ledger.header import Header
from ledger.log import ReadNode, consistency_path, inclusion_path
from ledger.receipt import (
    Anchoring,
    Consistency,
    OpenedEntry,
    OwnSide,
    Receipt,
    SystemSide,
)
from ledger.tiles import node_reader

TREES_KEPT: Final = 2
_STATE = """
select l.ver, l.epoch_from, l.entries, l.mg_credits, l.mg_debits, l.points_credits,
       l.points_debits, l.head
  from account_leaf l where l.akey = %s and l.epoch_from <= %s
 order by l.epoch_from desc limit 1"""
_OPENING = """
select a.akey, s.sealed from account a
  join account_secret s on (s.bucket, s.account) = (a.bucket, a.id)
 where (a.bucket, a.id) = (%s, %s)"""
_CELL = """
select distinct on (akey) akey, leaf, mg_credits, mg_debits, points_credits, points_debits
  from account_leaf where akey between %s and %s and epoch_from <= %s
 order by akey, epoch_from desc"""
_ENTRIES = """
select e.log_index, r.log_index, t.bucket, t.recorded_on, t.id, t.code, t.source, t.target,
       t.asset, t.amount, x.key, t.occurred_on, t.corrects, t.evidence
  from log_entry e
  join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
  join asset x on x.id = t.asset
  left join log_entry r on r.id = t.corrects
 where e.owner = %s and e.log_index >= %s and e.log_index < %s order by e.log_index"""
_PLACE = """
select chain_id, contract, block_number, block_hash, tx_hash from anchored where epoch = %s"""

_trees: dict[bytes, SumTree] = {}


def export_receipt(
    session: Session,
    keys: Keys,
    folder: Path,
    origin: str,
    owner: int,
    *,
    epoch: int | None = None,
    since: int | None = None,
) -> dict[str, Any]:
    """Write an owner's receipt; it is read-only, and run by ``db.read``.

    Args:
        session: Of the application role.
        keys: Open the owner's secret; what leaves are salts.
        folder: Where the log's tiles are.
        origin: Name of this ledger.
        owner: Account id; of a held account, its owner's.
        epoch: Of which epoch; the last one when absent.
        since: Only what came after this earlier epoch, for a reader who has its receipt.

    Raises:
        NotAnchored: The owner has no entry up to that epoch, or was erased.
    """
    connection = driver(session)
    wanted = last_epoch(session) if epoch is None else epoch
    if (
        not 0 < wanted <= last_epoch(session)
        or not 0 < (wanted if since is None else since) <= wanted
    ):
        raise NotAnchored(account=owner, epoch=wanted)
    header = header_of(session, wanted)
    opening = _opening(connection, keys, owner)
    state = opening and _state(connection, opening.akey, wanted)
    if opening is None or state is None:
        raise NotAnchored(account=owner, epoch=wanted)
    before = None if since is None else _state(connection, opening.akey, since)
    node = node_reader(header.log_size, tile_reader(session, folder))
    earlier = None if since is None else header_of(session, since)
    first = earlier.log_size if earlier is not None and before is not None else 0
    receipt = Receipt(
        origin=origin,
        header=header,
        state=state,
        salt=leaf_salt(opening.secret, state.ver),
        entries=_entries(connection, opening, owner & ~1, (first, header.log_size), node),
        proof=prove(
            _tree(connection, header), _cell(connection, opening.akey, header), opening.akey
        ),
        since=before,
        consistency=earlier
        and Consistency(earlier, consistency_path(earlier.log_size, header.log_size, node)),
        anchoring=_place(connection, wanted),
    )
    return receipt.to_json()


def _opening(connection: Connection, keys: Keys, owner: int) -> Opening | None:
    number = owner & ~1
    row = connection.execute(_OPENING, (bucket_of(number), number)).fetchone()
    if row is None or row[0] is None:
        return None
    return Opening(row[0], keys.open(row[1], owner=number))


def _state(connection: Connection, akey: bytes, epoch: int) -> AccountState | None:
    row = connection.execute(_STATE, (akey, epoch)).fetchone()
    if row is None:
        return None
    ver, changed, entries, *sums, head = row
    return AccountState(akey, ver, changed, entries, (*sums,), head)


def _cell(connection: Connection, akey: bytes, header: Header) -> list[Leaf]:
    low, high = key_range(cell_number(akey, header.bits), header.bits)
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_CELL, (low, high, header.epoch))
        return [Leaf(key, leaf, (*sums,)) for key, leaf, *sums in rows]


def _tree(connection: Connection, header: Header) -> SumTree:
    """Give the sum tree of an epoch; the last few are kept, for they are asked for most."""
    key = header.hash()
    if key not in _trees:
        while len(_trees) >= TREES_KEPT:
            _trees.pop(next(iter(_trees)))
        _trees[key] = sum_tree(connection, bits=header.bits, epoch=header.epoch)
    return _trees[key]


def _entries(
    connection: Connection, opening: Opening, owner: int, span: tuple[int, int], node: ReadNode
) -> list[OpenedEntry]:
    end = span[1]
    opened: list[OpenedEntry] = []
    with connection.cursor(binary=True) as cursor:
        for log_index, corrected, *row in cursor.execute(_ENTRIES, (owner, *span)):
            fact = Fact._make((*row, owner, opening.akey, None))
            assert fact.source is not None, fact
            assert fact.target is not None, fact
            opened.append(
                OpenedEntry(
                    entry_of(fact, opening),
                    log_index,
                    0 if corrected is None else corrected + 1,
                    _side(fact.source, opening, fact.id, DEBIT_SIDE),
                    _side(fact.target, opening, fact.id, CREDIT_SIDE),
                    inclusion_path(log_index, end, node),
                )
            )
    return opened


def _side(place: int, opening: Opening, transfer: UUID, side: int) -> SystemSide | OwnSide:
    if place < FIRST_OWNER_ID:
        return SystemSide(SYSTEM_NAMES[place])
    return OwnSide(entry_salt(opening.secret, transfer, side))


def _place(connection: Connection, epoch: int) -> Anchoring | None:
    row = connection.execute(_PLACE, (epoch,)).fetchone()
    return anchoring_of(*row) if row else None
