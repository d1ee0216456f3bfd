"""The account map: every account once, and totals that add up (账户映射).

Accounts are spread over 2^b *cells* by the first b bits of their random key. Inside a
cell lies an RFC 6962 tree of account leaves, ordered strictly by key; above the cells a
Merkle-sum tree, whose every node hashes both children's counts and sums *separately*
(hashing only their total is the construction broken in eprint 2018/1139):

    cell  H(03 ‖ tag("bucket") ‖ index u32 ‖ count u32 ‖ Σ 4 × u128 ‖ leafRoot)
    node  H(02 ‖ left ‖ right), a child being hash 32 ‖ count u64 ‖ Σ 4 × u128

So a citizen sees sums over a whole cell and never a neighbour's. Nodes are kept packed,
as the 104 bytes that their parent hashes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby, pairwise
from typing import NamedTuple

from ledger.encoding import HASH_BYTES, NO_SUMS, Sums, cell_hash, sums_bytes, sums_of
from ledger.log import check_inclusion, inclusion_path, reader, tree_hash

COUNT_BYTES = 8
NODE_BYTES = HASH_BYTES + COUNT_BYTES + 4 * 16
LEAVES_PER_CELL = 64
_PREFIX_BITS = 32
_COUNT_LIMIT = 1 << 64
_SUM_LIMIT = 1 << 128


class Leaf(NamedTuple):
    """One account in its cell."""

    akey: bytes
    hash: bytes
    sums: Sums


class Cell(NamedTuple):
    """One cell, as it is stored."""

    number: int
    """The first b bits of the keys in it."""
    accounts: int
    sums: Sums
    leaf_root: bytes

    def packed(self) -> bytes:
        """Pack the cell as a child of the sum tree [104 B]."""
        hash_ = cell_hash(self.number, self.accounts, self.sums, self.leaf_root)
        return hash_ + self.accounts.to_bytes(COUNT_BYTES, "big") + sums_bytes(self.sums)


class Node(NamedTuple):
    """A node of the sum tree, unpacked."""

    hash: bytes
    accounts: int
    sums: Sums

    def packed(self) -> bytes:
        """Pack it again [104 B].

        Raises:
            OverflowError: A number is negative or too large.
        """
        return self.hash + self.accounts.to_bytes(COUNT_BYTES, "big") + sums_bytes(self.sums)


def unpacked(node: bytes) -> Node:
    """Read a packed node.

    >>> unpacked(Node(bytes(32), 2, (1, 0, 0, 0)).packed()).accounts
    2
    """
    count_end = HASH_BYTES + COUNT_BYTES
    accounts = int.from_bytes(node[HASH_BYTES:count_end], "big")
    return Node(node[:HASH_BYTES], accounts, sums_of(node[count_end:]))


def bits_for(accounts: int) -> int:
    """Choose b so that a cell has 64 to 128 accounts on average.

    >>> bits_for(0), bits_for(64), bits_for(128), bits_for(1_000_000), bits_for(25_000_000)
    (0, 0, 1, 13, 18)
    """
    return max(0, (accounts // LEAVES_PER_CELL).bit_length() - 1)


def cell_number(akey: bytes, bits: int) -> int:
    """Give the cell of a key: its first ``bits`` bits.

    >>> cell_number(bytes([0xC0]) + bytes(31), 2)
    3
    """
    return int.from_bytes(akey[:4], "big") >> (_PREFIX_BITS - bits)


def cell_of(number: int, leaves: Sequence[Leaf]) -> Cell:
    """Make a cell of its leaves, which come strictly ordered by key.

    >>> cell_of(1, []).accounts
    0
    """
    if not leaves:
        return Cell(number, 0, NO_SUMS, tree_hash([]))
    keys = [leaf.akey for leaf in leaves]
    assert keys == sorted(set(keys)), "keys out of order"
    counters = zip(*(leaf.sums for leaf in leaves), strict=True)
    mg_credits, mg_debits, points_credits, points_debits = map(sum, counters)
    sums = (mg_credits, mg_debits, points_credits, points_debits)
    return Cell(number, len(leaves), sums, tree_hash([leaf.hash for leaf in leaves]))


def cells(leaves: Iterable[Leaf], bits: int) -> Iterator[Cell]:
    """Stream all leaves, ordered by key, into all 2^b cells, one cell in memory at a time.

    >>> [cell.accounts for cell in cells([Leaf(bytes([200]) * 32, bytes(32), NO_SUMS)], 1)]
    [0, 1]
    """
    expected = 0
    for number, group in groupby(leaves, key=lambda leaf: cell_number(leaf.akey, bits)):
        assert number >= expected, "keys out of order"
        for empty in range(expected, number):
            yield cell_of(empty, [])
        yield cell_of(number, list(group))
        expected = number + 1
    for empty in range(expected, 1 << bits):
        yield cell_of(empty, [])


def join(left: bytes, right: bytes) -> bytes:
    """Make the parent of two packed nodes.

    Counts and sums are added in one stroke, as one long integer: 25 million u64 counters
    cannot carry from one u128 into the next.
    """
    totals = int.from_bytes(left[HASH_BYTES:], "big") + int.from_bytes(right[HASH_BYTES:], "big")
    hash_ = sha256(b"\x02" + left + right).digest()
    return hash_ + totals.to_bytes(NODE_BYTES - HASH_BYTES, "big")


@dataclass(frozen=True, slots=True)
class SumTree:
    """The tree above the cells, every level kept, so that a change costs b hashes.

    It is a cache: a function of the cell rows, rebuilt when lost.
    """

    levels: tuple[list[bytes], ...]
    """Packed nodes, from the cells up to the root; no list is changed once it is here."""

    @classmethod
    def of(cls, packed_cells: Iterable[bytes]) -> "SumTree":
        """Build it from all cells in order; their number is a power of two."""
        row = list(packed_cells)
        assert row, "no cells"
        assert len(row) & (len(row) - 1) == 0, len(row)
        levels = [row]
        while len(row) > 1:
            row = [join(row[at], row[at + 1]) for at in range(0, len(row), 2)]
            levels.append(row)
        return cls(tuple(levels))

    def replaced(self, changed: Mapping[int, bytes]) -> "SumTree":
        """Put packed cells in place of others; this tree stays as it was."""
        levels = [list(level) for level in self.levels]
        for number, packed in changed.items():
            levels[0][number] = packed
        touched = set(changed)
        for below, above in pairwise(levels):
            touched = {number >> 1 for number in touched}
            for number in touched:
                above[number] = join(below[2 * number], below[2 * number + 1])
        return SumTree(tuple(levels))

    @property
    def bits(self) -> int:
        """b: the tree has 2^b cells."""
        return len(self.levels) - 1

    @property
    def root(self) -> Node:
        """The account root, and the totals that the header repeats."""
        return unpacked(self.levels[-1][0])

    def path(self, number: int) -> tuple[Node, ...]:
        """Give the siblings of a cell, from the bottom up."""
        siblings: list[Node] = []
        for level in self.levels[:-1]:
            siblings.append(unpacked(level[number ^ 1]))
            number >>= 1
        return tuple(siblings)


@dataclass(frozen=True, slots=True)
class AccountProof:
    """That an account's leaf is in the map, once, and that the totals add up over it."""

    cell: Cell
    leaf_index: int
    leaf_path: tuple[bytes, ...]
    top: tuple[Node, ...]
    """Siblings from the cell up."""


def prove(tree: SumTree, leaves: Sequence[Leaf], akey: bytes) -> AccountProof:
    """Prove an account, given all leaves of its cell.

    Raises:
        ValueError: The account is not among them.
    """
    number = cell_number(akey, tree.bits)
    index = [leaf.akey for leaf in leaves].index(akey)
    path = inclusion_path(index, len(leaves), reader([leaf.hash for leaf in leaves]))
    return AccountProof(cell_of(number, leaves), index, path, tree.path(number))


def _fits(node: Node | Cell, hash_: bytes) -> bool:
    return (
        len(hash_) == HASH_BYTES
        and 0 <= node.accounts < _COUNT_LIMIT
        and all(0 <= value < _SUM_LIMIT for value in node.sums)
    )


def check_proof(leaf: Leaf, proof: AccountProof, bits: int, root: Node) -> bool:
    """Check a proof against the account root, the number of accounts and the totals."""
    cell = proof.cell
    if len(proof.top) != bits or cell.number != cell_number(leaf.akey, bits):
        return False
    if not all(_fits(node, node.hash) for node in proof.top) or not _fits(cell, cell.leaf_root):
        return False
    if any(own > total for own, total in zip(leaf.sums, cell.sums, strict=True)):
        return False
    if cell.accounts >> 32 or not check_inclusion(
        leaf.hash, proof.leaf_index, cell.accounts, proof.leaf_path, cell.leaf_root
    ):
        return False
    node, number = cell.packed(), cell.number
    for sibling in proof.top:
        packed = sibling.packed()
        pair = (packed, node) if number & 1 else (node, packed)
        accounts, sums = unpacked(node).accounts, unpacked(node).sums
        if accounts + sibling.accounts >= _COUNT_LIMIT or any(
            a + b >= _SUM_LIMIT for a, b in zip(sums, sibling.sums, strict=True)
        ):
            return False
        node, number = join(*pair), number >> 1
    return unpacked(node) == root
