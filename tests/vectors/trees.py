"""The vectors of the log and of the account map, and how vectors are spelled."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from ledger import encoding, log, tiles
from ledger.account_map import Cell, Leaf, SumTree, cell_number, cells, check_proof, prove
from ledger.encoding import AccountState
from tests.vectors.city import digest

Vectors = dict[str, Any]

AKEY, SALT, HEAD, METHODOLOGY = bytes(range(32)), b"\x11" * 32, b"\x22" * 32, b"\x33" * 32
WIDEST = 2**64 - 1
FIRST = AccountState(AKEY, 1, 7, 1, (1234, 0, 123, 0), HEAD)
ALL_SIZES_TO = 64
EDGES = (255, 256, 257, 65_535, 65_536, 65_537)
REFERENCE = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)  # fmt: skip -- the RFC 6962 inputs, one line
PAIRS = ((1, 255), (64, 256), (255, 256), (256, 257), (100, 65_535), (65_535, 65_537))


def x(data: bytes) -> str:
    """Write bytes as forge reads them."""
    return "0x" + data.hex()


def xs(path: Sequence[bytes]) -> list[str]:
    """Write a path."""
    return [x(hash_) for hash_ in path]


def plain_leaf(index: int) -> bytes:
    """Make leaf ``index`` of the plain log: SHA-256(00 ‖ index as u64)."""
    return sha256(b"\x00" + index.to_bytes(8, "big")).digest()


PLAIN = [plain_leaf(index) for index in range(EDGES[-1])]


def _cell_row(cell: Cell) -> Vectors:
    return {
        "number": cell.number,
        "accounts": cell.accounts,
        "sums": [*map(str, cell.sums)],
        "leaf_root": x(cell.leaf_root),
        "hash": x(cell.packed()[:32]),
    }


def account_map() -> Vectors:
    """List whole maps: cells, root, and a proof for some of their accounts."""
    maps: list[Vectors] = []
    pair = [Leaf(AKEY, encoding.account_leaf(FIRST, SALT), FIRST.sums)]
    big = [
        Leaf(digest("big", at), digest("hash", at), (2**64 - 1, at, 2**64 - 1, at))
        for at in range(24)
    ]
    for leaves, bits in ((pair, 0), (pair, 1), (sorted(big), 0), (sorted(big), 3)):
        made = list(cells(leaves, bits))
        tree = SumTree.of(cell.packed() for cell in made)
        proofs: list[Vectors] = []
        for leaf in leaves[::7]:
            number = cell_number(leaf.akey, bits)
            inside = [other for other in leaves if cell_number(other.akey, bits) == number]
            proof = prove(tree, inside, leaf.akey)
            assert check_proof(leaf, proof, bits, tree.root)
            proofs.append(
                {
                    "akey": x(leaf.akey),
                    "leaf": x(leaf.hash),
                    "leaf_index": proof.leaf_index,
                    "leaf_path": xs(proof.leaf_path),
                    "cell": _cell_row(proof.cell),
                    "top": [
                        {
                            "hash": x(node.hash),
                            "accounts": node.accounts,
                            "sums": [*map(str, node.sums)],
                        }
                        for node in proof.top
                    ],
                }
            )
        maps.append(
            {
                "bits": bits,
                "accounts": tree.root.accounts,
                "sums": [*map(str, tree.root.sums)],
                "root": x(tree.root.hash),
                "cells": [_cell_row(cell) for cell in made],
                "proofs": proofs,
            }
        )
    return {"maps": maps}


def log_roots() -> Vectors:
    """List log roots at every size up to 64 and around tile edges."""
    inputs = [bytes.fromhex(text) for text in REFERENCE]
    hashes = [sha256(b"\x00" + data).digest() for data in inputs]
    return {
        "rfc6962": {
            "inputs": [x(data) for data in inputs],
            "roots": xs([log.tree_hash(hashes[:size]) for size in range(len(hashes) + 1)]),
        },
        "leaf": "SHA-256(00 ‖ index as u64)",
        "roots": [
            {"size": size, "root": x(log.tree_hash(PLAIN[:size]))}
            for size in (*range(ALL_SIZES_TO + 1), *EDGES)
        ],
    }


def log_proofs() -> Vectors:
    """List inclusion and consistency proofs over the plain log, small and at tile edges."""
    read = log.reader(PLAIN)
    inclusion = [(index, size) for size in range(1, 14) for index in range(size)]
    inclusion += [(0, 64), (63, 64), (254, 255), (255, 256), (256, 257), (65_535, 65_537)]
    consistency = [(old, new) for new in range(14) for old in range(new + 1)]
    return {
        "inclusion": [
            {
                "index": index,
                "size": size,
                "leaf": x(PLAIN[index]),
                "path": xs(log.inclusion_path(index, size, read)),
                "root": x(log.tree_hash(PLAIN[:size])),
            }
            for index, size in inclusion
        ],
        "consistency": [
            {
                "old": old,
                "new": new,
                "old_root": x(log.tree_hash(PLAIN[:old])),
                "new_root": x(log.tree_hash(PLAIN[:new])),
                "path": xs(log.consistency_path(old, new, read)),
            }
            for old, new in [*consistency, *PAIRS]
        ],
    }


def log_tiles() -> Vectors:
    """List the tiles of the plain log at some sizes, each by path and hash."""
    rows: list[Vectors] = []
    for size in (1, 255, 256, 257, 65_537):
        _, written = tiles.append(log.Edge(), PLAIN[:size])
        last = written[-4:]
        rows.append(
            {
                "size": size,
                "tiles": len(written),
                "last": [
                    {"path": tiles.tile_path(tile), "sha256": x(sha256(data).digest())}
                    for tile, data in last
                ],
            }
        )
    return {"logs": rows}
