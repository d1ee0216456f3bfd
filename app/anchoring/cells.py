"""Cells on disk (分格): which are touched, their new nodes, and the sum tree above them.

The current leaves are read by ranges of their key, in its order, gathered by the database into
one string a cell: there is no store of inner nodes to keep in step.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.kernel.db import Connection
from ledger.account_map import COUNT_BYTES, Cell, SumTree, cell_number
from ledger.encoding import HASH_BYTES, sums_bytes
from ledger.log import tree_hash

KEY_BITS: Final = 256
CELLS_PER_READ: Final = 1024
CELL_COLUMNS: Final = (
    "accounts, mg_credits, mg_debits, points_credits, points_debits, leaf_root, node"
)

_GATHER = """
select k.cell, x.* from unnest(%s::int4[], %s::bytea[], %s::bytea[]) as k (cell, low, high)
 cross join lateral (
  select count(*)::int4, coalesce(sum(mg_credits), 0)::int8, coalesce(sum(mg_debits), 0)::int8,
         coalesce(sum(points_credits), 0)::int8, coalesce(sum(points_debits), 0)::int8,
         coalesce(string_agg(leaf, ''::bytea order by akey), ''::bytea)
    from account_anchor where akey between k.low and k.high) x"""
_COPY = f"copy cell (bits, cell, epoch_from, {CELL_COLUMNS}) from stdin (format binary)"
_COPY_TYPES = "int2 int4 int8 int4 int8 int8 int8 int8 bytea bytea".split()  # noqa: SIM905 -- one row beside the fields
_NODES = f"""
select x.* from generate_series(0, (1::int8 << %(bits)s::int4) - 1) as k (cell)
 cross join lateral (
  select {CELL_COLUMNS} from cell c
   where c.bits = %(bits)s and c.cell = k.cell and c.epoch_from <= %(epoch)s
   order by c.epoch_from desc limit 1) x
 order by k.cell"""  # noqa: S608 -- a constant


def touched_cells(akeys: Iterable[bytes], *, bits: int, bits_before: int | None) -> Sequence[int]:
    """Give the cells to be hashed again: all of them when the number of cells has changed.

    >>> touched_cells([bytes([0xC0]) + bytes(31)], bits=2, bits_before=2)
    [3]
    >>> touched_cells([], bits=1, bits_before=0)
    range(0, 2)
    """
    if bits != bits_before:
        return range(1 << bits)
    return sorted({cell_number(akey, bits) for akey in akeys})


def key_range(cell: int, bits: int) -> tuple[bytes, bytes]:
    """Give the lowest and the highest key of a cell.

    >>> key_range(1, 1)[0].hex()[:4], key_range(0, 1)[1].hex()[:4]
    ('8000', '7fff')
    """
    shift = KEY_BITS - bits
    low = cell << shift
    return low.to_bytes(HASH_BYTES, "big"), (low + (1 << shift) - 1).to_bytes(HASH_BYTES, "big")


def hash_cells(connection: Connection, numbers: Sequence[int], bits: int) -> Iterator[Cell]:
    """Make cells of the current leaves."""
    for at in range(0, len(numbers), CELLS_PER_READ):
        chunk = list(numbers[at : at + CELLS_PER_READ])
        lows, highs = zip(*(key_range(cell, bits) for cell in chunk), strict=True)
        with connection.cursor(binary=True) as cursor:
            cursor.execute(_GATHER, (chunk, list(lows), list(highs)))
            for cell, accounts, *sums, leaves in cursor:
                yield Cell(cell, accounts, (*sums,), tree_hash(_split(leaves)))


def store_cells(connection: Connection, cells: Iterable[Cell], *, bits: int, epoch: int) -> int:
    """Append new versions of cells; give how many."""
    stored = list(cells)  # one row a cell and no leaf: small, and COPY cannot be interleaved
    with (
        connection.cursor() as cursor,
        cursor.copy(_COPY) as copy,
    ):
        copy.set_types(_COPY_TYPES)
        for cell in stored:
            node = cell.packed()[:HASH_BYTES]
            copy.write_row(
                (bits, cell.number, epoch, cell.accounts, *cell.sums, cell.leaf_root, node)
            )
    return len(stored)


def sum_tree(connection: Connection, *, bits: int, epoch: int) -> SumTree:
    """Build the tree above the cells as it was at the end of an epoch."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_NODES, {"bits": bits, "epoch": epoch})
        packed = [
            node + accounts.to_bytes(COUNT_BYTES, "big") + sums_bytes((*sums,))
            for accounts, *sums, _, node in cursor
        ]
    assert len(packed) == 1 << bits, (len(packed), bits)
    return SumTree.of(packed)


def _split(row: bytes) -> list[bytes]:
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
