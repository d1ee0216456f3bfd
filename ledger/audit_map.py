"""The audit of the account map: entries → account → leaf → cell → header.

Four sorted streams are merged by account key, so that one cell is in memory at a time and
a lacking row on any side is seen: a deleted account is named by its remaining leaf or its
entries, a phantom by the entries that it lacks, an edited cell by its own row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, zip_longest

from ledger.account_map import Cell, Leaf, SumTree, cell_number, cells
from ledger.encoding import AccountState, account_leaf
from ledger.findings import AnchorRow, CellRow, Finding, FindingKind, FoldRow, LeafRow
from ledger.folding import fold
from ledger.header import Header

Row = FoldRow | AnchorRow | LeafRow


def _akey(row: Row) -> bytes:
    return row.akey


@dataclass(slots=True)
class _Account:
    """What the three tables hold of one account."""

    akey: bytes
    where: str
    history: AccountState
    anchors: list[AnchorRow] = field(default_factory=list[AnchorRow])
    leaves: list[LeafRow] = field(default_factory=list[LeafRow])

    def add(self, row: Row) -> None:
        if isinstance(row, FoldRow):
            self.history = fold(self.history, row.leaf, row.part, row.unit, row.amount)
        elif isinstance(row, AnchorRow):
            self.anchors.append(row)
        else:
            self.leaves.append(row)

    def _found(self, kind: FindingKind, detail: str) -> Finding:
        return Finding(kind, self.where, detail)

    def findings(self) -> Iterator[Finding]:
        """Compare the three with one another."""
        if len(self.anchors) > 1 or len(self.leaves) > 1:
            yield self._found(FindingKind.ACCOUNT, "two accounts have the same key")
        if not self.anchors:
            left = "leaf" if self.leaves else "entries"
            yield self._found(FindingKind.ACCOUNT, f"deleted: only its {left} remain")
            return
        anchor = self.anchors[0]
        if not self.leaves:
            yield self._found(FindingKind.LEAF, "the account has no stored leaf")
        elif self.leaves[0].hash != self.leaf().hash:
            yield self._found(FindingKind.LEAF, "the stored leaf is not the account's")
        if anchor.salt is None:
            return
        if self.history.entries == 0:
            yield self._found(FindingKind.ACCOUNT, "phantom: it has no entries")
        elif anchor.entries != self.history.entries:
            told = f"{self.history.entries} entries, its state says {anchor.entries}"
            yield self._found(FindingKind.ACCOUNT, told)
        elif anchor.sums != self.history.sums:
            told = f"counters {anchor.sums}, its entries give {self.history.sums}"
            yield self._found(FindingKind.ACCOUNT, told)
        elif anchor.head != self.history.head:
            yield self._found(FindingKind.ACCOUNT, "another history than its entries'")

    def leaf(self) -> Leaf:
        """Make the leaf that belongs in the map, of the best row that is left."""
        if not self.anchors:
            return Leaf(self.akey, self.leaves[0].hash, self.history.sums)
        anchor = self.anchors[0]
        state = AccountState(*anchor[:-1])
        if anchor.salt is not None:
            return Leaf(self.akey, account_leaf(state, anchor.salt), anchor.sums)
        frozen = self.leaves[0].hash if self.leaves else bytes(32)
        return Leaf(self.akey, frozen, anchor.sums)


class _Walk:
    """A walk over all accounts that leaves its findings beside the leaves it gives."""

    def __init__(self, rows: Iterator[Row], bits: int) -> None:
        self.rows = rows
        self.bits = bits
        self.frozen = 0
        self.found: list[Finding] = []

    def leaves(self) -> Iterator[Leaf]:
        for akey, group in groupby(self.rows, key=_akey):
            where = f"account {akey.hex()}, cell {cell_number(akey, self.bits)}"
            account = _Account(akey, where, AccountState(akey))
            for row in group:
                account.add(row)
            self.found.extend(account.findings())
            self.frozen += any(anchor.salt is None for anchor in account.anchors)
            if account.anchors or account.leaves:
                yield account.leaf()

    def drained(self) -> list[Finding]:
        found, self.found = self.found, []
        return found


def _wrong_cell(cell: Cell | None, row: CellRow | None) -> Iterator[Finding]:
    if row is None or cell is None or row.number != cell.number:
        number = cell.number if cell else row.number if row else 0
        yield Finding(FindingKind.CELL, f"cell {number}", "its row is gone, or there are too many")
        return
    where = f"cell {cell.number}"
    if row.accounts != cell.accounts:
        told = f"{cell.accounts} accounts, its row says {row.accounts}"
        yield Finding(FindingKind.CELL, where, told)
    if row.sums != cell.sums:
        told = f"sums {cell.sums}, its row says {row.sums}"
        yield Finding(FindingKind.CELL, where, told)
    if row.leaf_root != cell.leaf_root:
        yield Finding(FindingKind.CELL, where, "its accounts do not hash to its leaf root")
    if row.hash != cell.packed()[: len(row.hash)]:
        yield Finding(FindingKind.CELL, where, "its accounts do not hash to its node")


def check_map(
    rows: tuple[Iterable[FoldRow], Iterable[AnchorRow], Iterable[LeafRow]],
    stored: Iterable[CellRow],
    header: Header,
    erasures: int,
) -> Iterator[Finding]:
    """Hold accounts to their entries, leaves to accounts, cells to leaves, the map to its root.

    Args:
        rows: All entries by owner, all accounts and all current leaves, each by account key.
        stored: All current cells, by number.
        header: Of the epoch that the rows show.
        erasures: How many erasures the log notes; no more leaves than that may be frozen.
    """
    walk = _Walk(merge(*rows, key=_akey), header.bits)
    packed: list[bytes] = []
    for cell, row in zip_longest(cells(walk.leaves(), header.bits), stored):
        yield from walk.drained()
        yield from _wrong_cell(cell, row)
        if cell is not None:
            packed.append(cell.packed())
    yield from walk.drained()
    if walk.frozen > erasures:
        told = f"{walk.frozen} frozen leaves, {erasures} erasures noted"
        yield Finding(FindingKind.ERASURE, f"epoch {header.epoch}", told)
    root = SumTree.of(packed).root
    where = f"epoch {header.epoch}"
    if root.hash != header.account_root:
        yield Finding(FindingKind.ACCOUNT_ROOT, where, "the map does not hash to the header's root")
    if (root.accounts, root.sums) != (header.account_count, header.sums):
        told = f"{root.accounts} accounts with {root.sums}, the header says otherwise"
        yield Finding(FindingKind.ACCOUNT_ROOT, where, told)
