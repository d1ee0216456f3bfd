"""What the public may fetch (公开文件): tiles of hashes, signed checkpoints, the list of anchors.

    log/tile/…       the log's tiles: hashes of entries, and nothing that opens them
    tile/…           the anchor log's tiles: its leaves are the headers
    checkpoint       a signed note over the anchor log (C2SP)
    headers.jsonl    every anchored header and where it lies: a root of trust to be mirrored

All of it is a function of rows and can be written again after any loss. The signer guard moves
before a checkpoint is signed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlmodel import Session

from app.anchoring.closing import header_of, last_epoch
from app.anchoring.files import read_if_there, write_whole
from app.anchoring.guard import Guard
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from ledger.checkpoint import Checkpoint, signed_note
from ledger.encoding import HASH_BYTES
from ledger.header import Header, anchor_leaf
from ledger.log import Edge, tree_hash
from ledger.receipt import Anchoring, header_line
from ledger.tiles import WIDTH, ReadTile, Tile, append, tile_path

LOG_FOLDER: Final = "log"
CHECKPOINT: Final = "checkpoint"
HEADERS: Final = "headers.jsonl"
LEAVES_PER_READ: Final = 1 << 16

_EDGE = "select size, rows from log_edge where epoch = %s"
_LEAVES = "select leaf from log_entry where log_index >= %s and log_index < %s order by log_index"
_HEADERS = "select header from epoch where epoch <= %s order by epoch"
_ANCHORED = """
select e.header, a.chain_id, a.contract, a.block_number, a.block_hash, a.tx_hash
  from epoch e join anchored a on a.epoch = e.epoch order by e.epoch"""


def publish(
    db: Database, keys: Keys, guard: Guard, folder: Path, origin: str, *, again: bool = False
) -> int:
    """Write what closed epochs add to the files; give how many epochs that were.

    An epoch counts as published once the checkpoint names it, so a crash repeats its tiles.

    Args:
        db: Connected as ``tanpu_worker``, or as who may read epochs and log.
        keys: Sign the checkpoint.
        guard: Moves before the signature.
        folder: Where the files are.
        origin: Name of this ledger.
        again: Whether to write everything, whatever is there.

    Raises:
        DatabaseRolledBack: The guard is ahead of the database.
        Equivocation: The guard has another header for an epoch.
    """
    latest = db.read(last_epoch)
    guard.check(lambda epoch: db.read(header_of, epoch), latest)
    done = 0 if again else published_epoch(folder)
    for epoch in range(done + 1, latest + 1):
        db.read(_write_log_tiles, folder, epoch)
        leaves = [anchor_leaf(data) for (data,) in db.read(_headers, epoch)]
        for tile, data in append(Edge(), leaves)[1]:
            write_new(folder / tile_path(tile), data)
        header = db.read(header_of, epoch)
        guard.admit(header, lambda number: db.read(header_of, number), latest)
        write_whole(folder / CHECKPOINT, _note(keys, origin, leaves).encode())
    return max(0, latest - done)


def publish_headers(db: Database, folder: Path) -> bool:
    """Write the list of anchored headers if it has changed; say whether it had."""
    text = "".join(f"{json.dumps(line)}\n" for line in db.read(header_lines)).encode()
    if text == read_if_there(folder / HEADERS):
        return False
    write_whole(folder / HEADERS, text)
    return True


def published_epoch(folder: Path) -> int:
    """Read the size of the anchor log that the checkpoint names: the last published epoch."""
    note = read_if_there(folder / CHECKPOINT).decode()
    return int(note.split("\n")[1]) if note else 0


def header_lines(session: Session) -> list[dict[str, object]]:
    """Give the anchored headers, and where they lie."""
    rows = driver(session).execute(_ANCHORED).fetchall()
    return [header_line(Header.of(row[0]), anchoring_of(*row[1:])) for row in rows]


def anchoring_of(
    chain_id: int, contract: bytes, block_number: int, block_hash: bytes, tx_hash: bytes
) -> Anchoring:
    """Write the place of an anchor as receipts have it."""
    return Anchoring(
        chain_id,
        f"0x{contract.hex()}",
        block_number,
        f"0x{block_hash.hex()}",
        f"0x{tx_hash.hex()}",
    )


def tile_reader(session: Session, folder: Path) -> ReadTile:
    """Read tiles of the log from its files, and where one is lost from the rows below it."""

    def read(tile: Tile) -> bytes:
        if data := read_if_there(folder / LOG_FOLDER / tile_path(tile)):
            return data
        first = tile.number * WIDTH
        if tile.level == 0:
            rows = driver(session).execute(_LEAVES, (first, first + tile.width)).fetchall()
            return b"".join(leaf for (leaf,) in rows)
        below = (read(Tile(tile.level - 1, first + at)) for at in range(tile.width))
        return b"".join(tree_hash(_split(data)) for data in below)

    return read


def write_new(path: Path, data: bytes) -> None:
    """Write a tile that is not there yet: its name says which bytes it holds, for ever."""
    if not path.exists():
        write_whole(path, data)


def _write_log_tiles(session: Session, folder: Path, epoch: int) -> None:
    edge = _edge_of(session, epoch - 1)
    end = header_of(session, epoch).log_size
    for leaves in _leaves(session, edge.size, end):
        edge, tiles = append(edge, leaves)
        for tile, data in tiles:
            if tile.width == WIDTH or edge.size == end:
                write_new(folder / LOG_FOLDER / tile_path(tile), data)


def _leaves(session: Session, start: int, end: int) -> Iterator[list[bytes]]:
    with driver(session).cursor(binary=True) as cursor:
        for at in range(start, end, LEAVES_PER_READ):
            cursor.execute(_LEAVES, (at, min(end, at + LEAVES_PER_READ)))
            yield [leaf for (leaf,) in cursor]


def _edge_of(session: Session, epoch: int) -> Edge:
    row = driver(session).execute(_EDGE, (epoch,)).fetchone()
    return Edge(row[0], tuple(row[1])) if row else Edge()


def _headers(session: Session, epoch: int) -> list[tuple[bytes]]:
    return driver(session).execute(_HEADERS, (epoch,)).fetchall()


def _note(keys: Keys, origin: str, leaves: list[bytes]) -> str:
    public = keys.log.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    checkpoint = Checkpoint(origin, len(leaves), tree_hash(leaves))
    return signed_note(checkpoint, origin, public, keys.log.sign)


def _split(row: bytes) -> list[bytes]:
    return [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
