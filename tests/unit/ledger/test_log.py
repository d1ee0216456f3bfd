"""The log against RFC 6962's own inputs and recursive definitions, at every size up to 64."""

import json
from hashlib import sha256
from typing import Any

import pytest

from ledger.encoding import Entry, entry_body, entry_leaf, inner_hash
from ledger.log import (
    EMPTY_ROOT,
    Edge,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    reader,
    root_at,
    tree_hash,
)
from ledger.tiles import HEIGHT, WIDTH, Tile, append, edge_of, node_reader, tile_path
from tests.vectors.make import HERE
from tests.vectors.trees import EDGES, PLAIN

SIZES = range(65)
READ = reader(PLAIN)
MANY = 10_000
RISE = (MANY - 1).bit_length()
"""How many rows of parents stand over so many leaves."""


def recursive(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return inner_hash(recursive(leaves[:cut]), recursive(leaves[cut:]))


def test_the_reference_roots_are_reproduced() -> None:
    given = json.loads((HERE / "log_roots.json").read_text())["rfc6962"]
    assert given["roots"][1].startswith("0x6e340b9c")
    assert given["roots"][1].endswith("a01d")
    assert given["roots"][8].startswith("0x5dc9da79")
    assert given["roots"][8].endswith("4328")


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_the_recursive_one(size: int) -> None:
    expected = recursive(PLAIN[:size])
    assert tree_hash(PLAIN[:size]) == root_at(size, READ) == expected
    assert append(Edge(), PLAIN[:size])[0].root() == expected


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_and_no_other(size: int) -> None:
    root = tree_hash(PLAIN[:size])
    for index in range(size):
        path = inclusion_path(index, size, READ)
        assert check_inclusion(PLAIN[index], index, size, path, root)
        assert not check_inclusion(PLAIN[index + 1], index, size, path, root)
        assert not check_inclusion(PLAIN[index], index + 1, size, path, root)
        assert not check_inclusion(PLAIN[index], index, size, (*path, bytes(32)), root)
        assert not check_inclusion(PLAIN[index], index, size, path, bytes(32))
        if path:
            assert not check_inclusion(PLAIN[index], index, size, path[:-1], root)
            assert not check_inclusion(PLAIN[index], index, size, (b"", *path[1:]), root)
    assert not check_inclusion(PLAIN[0], size, size, (), root)
    assert not check_inclusion(PLAIN[0], -1, size, (), root)


@pytest.mark.parametrize("new", SIZES)
def test_every_earlier_log_is_proved_to_be_its_beginning(new: int) -> None:
    root = tree_hash(PLAIN[:new])
    for old in range(new + 1):
        path = consistency_path(old, new, READ)
        older = tree_hash(PLAIN[:old])
        assert check_consistency(old, new, older, root, path)
        assert not check_consistency(old, new, bytes(32), root, path)
        assert not check_consistency(old, new, older, root, (*path, bytes(32)))
        if 0 < old < new:
            assert not check_consistency(old, new, older, bytes(32), path)
            assert not check_consistency(old, new, older, root, path[:-1])
            assert not check_consistency(old, new, older, root, (b"", *path[1:]))
            assert not check_consistency(new, old, root, older, path)


def test_an_empty_consistency_proof_says_nothing_of_a_grown_log() -> None:
    assert not check_consistency(3, 5, tree_hash(PLAIN[:3]), tree_hash(PLAIN[:5]), ())
    assert not check_consistency(0, 5, bytes(32), tree_hash(PLAIN[:5]), ())
    assert check_consistency(0, 5, EMPTY_ROOT, tree_hash(PLAIN[:5]), ())


def grown(sizes: tuple[int, ...]) -> tuple[Edge, dict[Tile, bytes]]:
    edge, files = Edge(), dict[Tile, bytes]()
    for size in sizes:
        edge, written = append(edge, PLAIN[edge.size : size])
        files.update(written)
    return edge, files


def test_tiles_are_the_same_however_the_log_grew() -> None:
    at_once, files = grown((65_537,))
    stepwise, more = grown((*EDGES, 65_537))
    one_by_one, most = grown((1, 2, 200, 256, 65_535, 65_536, 65_537))
    assert at_once == stepwise == one_by_one
    assert files.items() <= more.items()
    assert files.items() <= most.items()
    assert {tile.level for tile in files} == {0, 1, 2}
    assert append(at_once, []) == (at_once, [])


@pytest.mark.parametrize("size", EDGES)
def test_an_edge_is_found_again_from_the_tiles(size: int) -> None:
    edge, files = grown((size,))
    assert edge_of(size, files.__getitem__) == edge
    assert edge.root() == tree_hash(PLAIN[:size])


def test_proofs_come_from_tiles_alone() -> None:
    _, files = grown((65_537,))
    reads: list[Tile] = []

    def read(tile: Tile) -> bytes:
        reads.append(tile)
        return files[tile]

    node = node_reader(65_537, read)
    assert inclusion_path(1000, 65_537, node) == inclusion_path(1000, 65_537, READ)
    assert len(reads) <= 5
    for old in (1, 255, 256, 257, 65_535, 65_536):
        assert consistency_path(old, 65_537, node) == consistency_path(old, 65_537, READ)
    assert root_at(65_537, node) == tree_hash(PLAIN)


def test_ten_thousand_entries_have_one_root_and_each_its_proof_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Goal: nothing grows faster than the tree's height. Method: hashes and reads, counted."""
    leaves = [entry_leaf(entry_body(ride(number))) for number in range(MANY)]
    assert len({*leaves}) == MANY
    hashed, reads = [0], list[Tile]()

    def counted(data: bytes) -> Any:  # noqa: ANN401 -- as hashlib's
        hashed[0] += 1
        return sha256(data)

    def read(tile: Tile) -> bytes:
        reads.append(tile)
        return files[tile]

    monkeypatch.setattr("ledger.log.sha256", counted)
    monkeypatch.setattr("ledger.encoding.sha256", counted)
    edge, written = append(Edge(), leaves)
    files, root = dict(written), edge.root()
    assert hashed == [MANY - 1], "each parent once, and nothing twice"
    node = node_reader(MANY, read)
    for index, leaf in enumerate(leaves):
        hashed[0] = 0
        path = inclusion_path(index, MANY, node)
        assert len(path) <= RISE
        assert hashed[0] <= WIDTH * -(-RISE // HEIGHT), "a tile of each level, at the most"
        hashed[0] = 0
        assert check_inclusion(leaf, index, MANY, path, root)
        assert hashed[0] == len(path)
    assert sorted(reads) == sorted(files), "each tile once, for all proofs together"


def ride(number: int) -> Entry:
    """Make an entry unlike any other: two acts of one day and amount differ in what they commit."""
    commit = sha256(number.to_bytes(8, "big")).digest()
    return Entry(1, bytes(32), 20_000, 1, 46_800, commit, commit)


def test_tile_paths_are_those_of_c2sp() -> None:
    assert tile_path(Tile(0, 0)) == "tile/0/000"
    assert tile_path(Tile(3, 999)) == "tile/3/999"
    assert tile_path(Tile(0, 1000)) == "tile/0/x001/000"
    assert tile_path(Tile(0, 1_234_067, 5)) == "tile/0/x001/x234/067.p/5"
