"""The account map: every account once, totals that cannot be shifted about."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.account_map import (
    AccountProof,
    Leaf,
    Node,
    SumTree,
    bits_for,
    cell_number,
    cell_of,
    cells,
    check_proof,
    prove,
)
from ledger.encoding import NO_SUMS
from ledger.log import tree_hash
from tests.vectors.city import digest

LEAVES = sorted(
    Leaf(digest("key", at), digest("leaf", at), (10 + at, at, 100 + at, at)) for at in range(50)
)
BITS = 3


def tree(leaves: list[Leaf], bits: int) -> SumTree:
    return SumTree.of(cell.packed() for cell in cells(leaves, bits))


def inside(leaves: list[Leaf], akey: bytes, bits: int) -> list[Leaf]:
    return [leaf for leaf in leaves if cell_number(leaf.akey, bits) == cell_number(akey, bits)]


TREE = tree(LEAVES, BITS)
SUBJECT = LEAVES[17]
PROOF = prove(TREE, inside(LEAVES, SUBJECT.akey, BITS), SUBJECT.akey)


@pytest.mark.parametrize("bits", range(7))
def test_every_account_is_proved_at_every_width(bits: int) -> None:
    made = tree(LEAVES, bits)
    assert made.bits == bits
    assert made.root.accounts == len(LEAVES)
    assert made.root.sums == tuple(map(sum, zip(*(leaf.sums for leaf in LEAVES), strict=True)))
    for leaf in LEAVES:
        proof = prove(made, inside(LEAVES, leaf.akey, bits), leaf.akey)
        assert check_proof(leaf, proof, bits, made.root)


def test_re_sharding_keeps_accounts_and_totals() -> None:
    """From b to b + 1 every cell falls into two, whose leaves and sums are its own."""
    for bits in range(6):
        coarse, fine = list(cells(LEAVES, bits)), list(cells(LEAVES, bits + 1))
        for cell in coarse:
            left, right = fine[2 * cell.number : 2 * cell.number + 2]
            assert left.accounts + right.accounts == cell.accounts
            assert tuple(a + b for a, b in zip(left.sums, right.sums, strict=True)) == cell.sums
        assert tree(LEAVES, bits).root[1:] == tree(LEAVES, bits + 1).root[1:]


def test_a_change_of_cells_gives_the_tree_that_a_rebuild_gives() -> None:
    changed = [leaf._replace(hash=digest("new", leaf.hash), sums=(99, 1, 2, 3)) for leaf in LEAVES]
    mixed = changed[:9] + LEAVES[9:]
    touched = {cell_number(leaf.akey, BITS) for leaf in changed[:9]}
    packed = {
        number: cell_of(
            number, [leaf for leaf in mixed if cell_number(leaf.akey, BITS) == number]
        ).packed()
        for number in touched
    }
    before = TREE.root
    assert TREE.replaced(packed) == tree(mixed, BITS)
    assert TREE.replaced({}) == TREE
    assert TREE.root == before


def test_cells_have_64_to_128_accounts_on_average() -> None:
    for accounts in (64, 100, 5_000, 1_000_000, 25_000_000, 1_400_000_000):
        assert 64 <= accounts / 2 ** bits_for(accounts) < 128
    assert bits_for(63) == bits_for(0) == 0


def shift(left: tuple[int, ...], right: tuple[int, ...], by: int) -> list[tuple[int, ...]]:
    return [(left[0] - by, *left[1:]), (right[0] + by, *right[1:])]


def test_the_attack_of_hu_zhang_and_guo_is_rejected() -> None:
    """eprint 2018/1139: where a node hashes only its total, sums slide between children.

    The liar shows the customer a cell sum that is smaller and a sibling that is larger by
    the same amount: every total stays true. Hashing both children's sums stops it.
    """
    for by in (-5, 1, 7):
        cell_sums, sibling_sums = shift(PROOF.cell.sums, PROOF.top[0].sums, by)
        lie = replace(
            PROOF,
            cell=PROOF.cell._replace(sums=cell_sums),  # pyright: ignore[reportArgumentType] -- four
            top=(PROOF.top[0]._replace(sums=sibling_sums), *PROOF.top[1:]),  # pyright: ignore[reportArgumentType] -- four
        )
        assert not check_proof(SUBJECT, lie, BITS, TREE.root)
        lower, upper = shift(PROOF.top[0].sums, PROOF.top[1].sums, by)
        lie = replace(
            PROOF,
            top=(
                PROOF.top[0]._replace(sums=lower),  # pyright: ignore[reportArgumentType] -- four
                PROOF.top[1]._replace(sums=upper),  # pyright: ignore[reportArgumentType] -- four
                PROOF.top[2],
            ),
        )
        assert not check_proof(SUBJECT, lie, BITS, TREE.root)


HUGE = 1 << 128
LIES: list[Callable[[AccountProof], AccountProof]] = [
    lambda proof: replace(proof, cell=proof.cell._replace(number=proof.cell.number ^ 1)),
    lambda proof: replace(proof, cell=proof.cell._replace(accounts=proof.cell.accounts + 1)),
    lambda proof: replace(proof, cell=proof.cell._replace(accounts=1 << 32)),
    lambda proof: replace(proof, cell=proof.cell._replace(accounts=-1)),
    lambda proof: replace(proof, cell=proof.cell._replace(sums=NO_SUMS)),
    lambda proof: replace(proof, cell=proof.cell._replace(sums=(HUGE, HUGE, HUGE, HUGE))),
    lambda proof: replace(proof, cell=proof.cell._replace(leaf_root=b"short")),
    lambda proof: replace(proof, leaf_index=proof.leaf_index + 1),
    lambda proof: replace(proof, leaf_path=proof.leaf_path[:-1]),
    lambda proof: replace(proof, leaf_path=(*proof.leaf_path, bytes(32))),
    lambda proof: replace(proof, top=proof.top[:-1]),
    lambda proof: replace(proof, top=(*proof.top, proof.top[0])),
    lambda proof: replace(proof, top=(proof.top[0]._replace(hash=bytes(32)), *proof.top[1:])),
    lambda proof: replace(proof, top=(proof.top[0]._replace(hash=b""), *proof.top[1:])),
    lambda proof: replace(proof, top=(proof.top[0]._replace(accounts=-1), *proof.top[1:])),
    lambda proof: replace(proof, top=(proof.top[0]._replace(sums=(-1, 0, 0, 0)), *proof.top[1:])),
    lambda proof: replace(
        proof, top=(proof.top[0]._replace(sums=(HUGE - 1, 0, 0, 0)), *proof.top[1:])
    ),
    lambda proof: replace(
        proof, top=(proof.top[0]._replace(accounts=(1 << 64) - 1), *proof.top[1:])
    ),
]


@pytest.mark.parametrize("lie", LIES)
def test_any_change_of_a_proof_is_rejected(lie: Callable[[AccountProof], AccountProof]) -> None:
    assert check_proof(SUBJECT, PROOF, BITS, TREE.root)
    assert not check_proof(SUBJECT, lie(PROOF), BITS, TREE.root)


def test_a_proof_is_of_one_account_under_one_root() -> None:
    assert not check_proof(LEAVES[18], PROOF, BITS, TREE.root)
    assert not check_proof(SUBJECT, PROOF, BITS - 1, TREE.root)
    for root in (
        TREE.root._replace(hash=bytes(32)),
        TREE.root._replace(accounts=51),
        TREE.root._replace(sums=NO_SUMS),
    ):
        assert not check_proof(SUBJECT, PROOF, BITS, root)


def test_an_account_above_its_cell_is_rejected() -> None:
    greedy = SUBJECT._replace(sums=(10**9, 0, 0, 0))
    assert not check_proof(greedy, PROOF, BITS, TREE.root)


def test_what_is_not_in_its_cell_cannot_be_proved() -> None:
    with pytest.raises(ValueError, match="not in list"):
        prove(TREE, inside(LEAVES, SUBJECT.akey, BITS), bytes(32))


def test_keys_come_strictly_ordered() -> None:
    with pytest.raises(AssertionError, match="keys out of order"):
        cell_of(0, [LEAVES[0], LEAVES[0]])
    with pytest.raises(AssertionError, match="keys out of order"):
        list(cells([LEAVES[-1], LEAVES[0]], 3))
    with pytest.raises(AssertionError):
        SumTree.of([])
    with pytest.raises(AssertionError):
        SumTree.of([bytes(104)] * 3)


def test_leaves_hash_as_in_the_log_and_sums_do_not_wrap() -> None:
    most = (2**64 - 1,) * 4
    full = [Leaf(bytes([at]) * 32, digest(at), most) for at in (1, 2)]  # pyright: ignore[reportArgumentType] -- four
    cell = cell_of(0, full)
    assert cell.leaf_root == tree_hash([digest(1), digest(2)])
    assert cell.sums == (2**65 - 2,) * 4
    root = tree([Leaf(bytes([at]) * 32, digest(at), most) for at in (1, 255)], 1).root  # pyright: ignore[reportArgumentType] -- four
    assert root.sums == (2**65 - 2,) * 4
    assert Node(root.hash, root.accounts, root.sums) == root
