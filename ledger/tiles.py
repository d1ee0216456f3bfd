"""Tiles: the log as static files of up to 256 hashes (C2SP tlog-tiles, height 8).

Tile (level, number) holds the nodes of tree level 8·level from 256·number on. A full tile
never changes; the last one of each level is partial and is named by its width. Tiles are
a function of the leaves alone, so that lost ones can always be written again.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ledger.encoding import HASH_BYTES
from ledger.log import Edge, ReadNode, tree_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
_GROUP = 1000


class Tile(NamedTuple):
    """The place of a tile; ``width`` is below 256 for a partial one."""

    level: int
    number: int
    width: int = WIDTH


ReadTile = Callable[[Tile], bytes]
"""The bytes of that tile; a wider tile of the same place also serves."""


def tile_path(tile: Tile) -> str:
    """Give the path of a tile, as C2SP has it.

    >>> tile_path(Tile(0, 1234067)), tile_path(Tile(1, 5, 7))
    ('tile/0/x001/x234/067', 'tile/1/005.p/7')
    """
    number, groups = tile.number, [f"{tile.number % _GROUP:03}"]
    while number >= _GROUP:
        number //= _GROUP
        groups.insert(0, f"x{number % _GROUP:03}")
    partial = "" if tile.width == WIDTH else f".p/{tile.width}"
    return f"tile/{tile.level}/{'/'.join(groups)}{partial}"


def _hashes(row: bytes) -> list[bytes]:
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]


def append(edge: Edge, leaves: Iterable[bytes]) -> tuple[Edge, list[tuple[Tile, bytes]]]:
    """Append leaf hashes; give the new edge and every tile to be written.

    Full tiles come in the order in which they were filled, then the partial ones.

    >>> after, tiles = append(Edge(), [bytes(32)] * 257)
    >>> after.size, [tile_path(tile) for tile, _ in tiles]
    (257, ['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1'])
    """
    rows = [_hashes(row) for row in edge.rows] or [[]]
    full: list[tuple[Tile, bytes]] = []
    touched = 0
    size = edge.size
    for leaf in leaves:
        size += 1
        rows[0].append(leaf)
        level = 0
        while len(rows[level]) == WIDTH:
            number = (size >> (HEIGHT * (level + 1))) - 1
            full.append((Tile(level, number), b"".join(rows[level])))
            if level + 1 == len(rows):
                rows.append([])
            rows[level + 1].append(tree_hash(rows[level]))
            rows[level] = []
            level += 1
        touched = max(touched, level)
    if size == edge.size:
        return edge, []
    after = Edge(size, tuple(b"".join(row) for row in rows))
    partial = [(tile, data) for tile, data in edge_tiles(after) if tile.level <= touched]
    return after, [*full, *partial]


def edge_tiles(edge: Edge) -> Iterator[tuple[Tile, bytes]]:
    """Give the partial tiles of an edge.

    >>> [tile_path(tile) for tile, _ in edge_tiles(Edge(1, (bytes(32),)))]
    ['tile/0/000.p/1']
    """
    for level, row in enumerate(edge.rows):
        if row:
            number = edge.size >> (HEIGHT * (level + 1))
            yield Tile(level, number, len(row) // HASH_BYTES), row


def edge_of(size: int, read: ReadTile) -> Edge:
    """Find the edge of a log of ``size`` again, from its partial tiles.

    >>> edge_of(0, lambda tile: b"") == Edge()
    True
    """
    rows: list[bytes] = []
    remaining = size
    while remaining:
        width = remaining % WIDTH
        tile = Tile(len(rows), remaining // WIDTH, width)
        rows.append(read(tile)[: width * HASH_BYTES] if width else b"")
        remaining //= WIDTH
    return Edge(size, tuple(rows))


def node_reader(size: int, read: ReadTile) -> ReadNode:
    """Read complete nodes of a log of ``size`` from its tiles."""
    cache: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        row, rise = divmod(level, HEIGHT)
        first = index << rise
        number, at = divmod(first, WIDTH)
        if (row, number) not in cache:
            width = min(WIDTH, (size >> (HEIGHT * row)) - number * WIDTH)
            cache[row, number] = read(Tile(row, number, width))
        data = cache[row, number][at * HASH_BYTES : (at + (1 << rise)) * HASH_BYTES]
        return tree_hash(_hashes(data))

    return node
