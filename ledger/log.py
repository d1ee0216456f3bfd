"""The log: an append-only tree of hashes in the shape of RFC 6962, kept as C2SP tiles.

Leaves are hashes already. A *node* (level, index) covers the leaves index·2^level up to
(index + 1)·2^level. Everything here is bytes in and bytes out: an `Edge`, the unfinished
right side of the tiles, is all that appending needs; proofs read complete nodes through a
function of the caller's, from tiles or from memory.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.encoding import HASH_BYTES, inner_hash

EMPTY_ROOT = sha256(b"").digest()

ReadNode = Callable[[int, int], bytes]
"""(level, index) → the hash of that complete node."""


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Hash a whole tree of leaf hashes.

    >>> tree_hash([]) == EMPTY_ROOT, tree_hash([bytes(32)]) == bytes(32)
    (True, True)
    """
    if not leaves:
        return EMPTY_ROOT
    row = leaves
    while len(row) > 1:
        row = parents(row)
    return row[0]


def parents(row: Sequence[bytes]) -> list[bytes]:
    """Hash one row of nodes into the row above; a lone last node goes up as it is."""
    above = [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(row[::2], row[1::2], strict=False)
    ]
    if len(row) % 2:
        above.append(row[-1])
    return above


def reader(leaves: Sequence[bytes]) -> ReadNode:
    """Read nodes straight from the leaves, for small trees."""

    def node(level: int, index: int) -> bytes:
        return tree_hash(leaves[index << level : (index + 1) << level])

    return node


def _complete(start: int, end: int) -> Iterable[tuple[int, int]]:
    """Cut [start, end) into complete nodes, left to right; `start` is aligned."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def _range_hash(start: int, end: int, node: ReadNode) -> bytes:
    nodes = [node(level, index) for level, index in _complete(start, end)]
    root = nodes.pop()
    while nodes:
        root = inner_hash(nodes.pop(), root)
    return root


def root_at(size: int, node: ReadNode) -> bytes:
    """Give the root when the log had ``size`` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_path(index: int, size: int, node: ReadNode) -> tuple[bytes, ...]:
    """Prove that leaf ``index`` is in the tree of ``size``, deepest hash first.

    >>> inclusion_path(0, 2, reader([b"a" * 32, b"b" * 32])) == (b"b" * 32,)
    True
    """
    assert 0 <= index < size, (index, size)
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_path(old: int, new: int, node: ReadNode) -> tuple[bytes, ...]:
    """Prove that the tree of ``old`` leaves is a prefix of the tree of ``new``.

    >>> consistency_path(1, 2, reader([b"a" * 32, b"b" * 32])) == (b"b" * 32,)
    True
    """
    assert 0 <= old <= new, (old, new)
    start, end, path = 0, new, list[bytes]()
    if old in (0, new):
        return ()
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    if start:
        path.append(_range_hash(start, end, node))
    return tuple(reversed(path))


def check_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof, as RFC 9162 §2.1.3.2 has it."""
    if not 0 <= index < size or any(len(hash_) != HASH_BYTES for hash_ in path):
        return False
    place, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            result = inner_hash(sibling, result)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            result = inner_hash(result, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and result == root


def check_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Check a consistency proof, as RFC 9162 §2.1.4.2 has it."""
    if not 0 <= old <= new or any(len(hash_) != HASH_BYTES for hash_ in path):
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            older, newer = inner_hash(sibling, older), inner_hash(sibling, newer)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            newer = inner_hash(newer, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and older == old_root and newer == new_root


@dataclass(frozen=True, slots=True)
class Edge:
    """The right side of a log: for each tile level, the hashes of its unfinished tile."""

    size: int = 0
    rows: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """Give the root of the whole log."""
        result = b""
        for row in self.rows:
            hashes = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
            if result:
                hashes.append(result)
            if hashes:
                result = tree_hash(hashes)
        return result or EMPTY_ROOT
