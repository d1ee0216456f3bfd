"""Bytes and trees: round trips, one meaning per preimage, growth equal to rebuilding."""

from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ledger.account_map import (
    Leaf,
    Node,
    SumTree,
    cell_number,
    cell_of,
    cells,
    check_proof,
    join,
    prove,
    unpacked,
)
from ledger.encoding import (
    AccountState,
    Entry,
    account_leaf,
    entry_body,
    entry_leaf,
    sums_bytes,
    sums_of,
)
from ledger.header import Header
from ledger.log import (
    Edge,
    check_consistency,
    check_inclusion,
    consistency_path,
    inclusion_path,
    reader,
    tree_hash,
)
from ledger.numbering import Unnumbered, number
from ledger.tiles import append
from tests.vectors.city import digest, uuid7

hashes = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**64 - 1)
u128 = st.integers(0, 2**128 - 1)
sums64 = st.tuples(u64, u64, u64, u64)
sums128 = st.tuples(u128, u128, u128, u128)
entries = st.builds(
    Entry,
    st.integers(0, 255),
    hashes,
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    u64,
    hashes,
    hashes,
    hashes,
)
states = st.builds(AccountState, hashes, st.integers(0, 2**32 - 1), u64, u64, sums64, hashes)
headers = st.builds(
    Header,
    origin_tag=hashes,
    bits=st.integers(0, 32),
    epoch=u64,
    closed_at=u64,
    log_size=u64,
    account_count=u64,
    log_root=hashes,
    account_root=hashes,
    methodology_root=hashes,
    sums=sums128,
    aux=hashes,
    previous=hashes,
)
logs = st.lists(hashes, max_size=80)


@given(headers)
def test_a_header_is_read_as_it_was_written(header: Header) -> None:
    assert Header.of(header.to_bytes()) == header


@given(headers, headers)
def test_two_headers_share_no_hash(one: Header, other: Header) -> None:
    assert (one.hash() == other.hash()) == (one == other)


@given(entries, entries, u64, u64)
def test_two_entries_share_no_bytes(one: Entry, other: Entry, ref: int, other_ref: int) -> None:
    same = (one, ref) == (other, other_ref)
    assert (entry_body(one) + ref.to_bytes(8) == entry_body(other) + other_ref.to_bytes(8)) == same
    assert (entry_leaf(entry_body(one), ref) == entry_leaf(entry_body(other), other_ref)) == same


@given(states, hashes, entries, headers, sums128)
def test_no_two_kinds_of_preimage_meet(
    state: AccountState, salt: bytes, entry: Entry, header: Header, sums: tuple[int, int, int, int]
) -> None:
    node = Node(salt, 1, sums).packed()
    low = Node(salt, 1, (0, 0, 0, 0)).packed()
    made = {
        account_leaf(state, salt),
        entry_leaf(entry_body(entry)),
        header.hash(),
        cell_of(0, []).packed()[:32],
        join(low, low)[:32],
        tree_hash([salt, salt]),
        sha256(b"\x04" + salt + salt).digest(),
    }
    assert len(made) == 7
    assert unpacked(node) == Node(salt, 1, sums)


@given(sums128)
def test_sums_are_read_as_they_were_written(sums: tuple[int, int, int, int]) -> None:
    assert sums_of(sums_bytes(sums)) == sums


@given(logs, st.lists(st.integers(0, 80)))
def test_a_log_is_the_same_however_it_grew(leaves: list[bytes], cuts: list[int]) -> None:
    edge = Edge()
    for cut in [*sorted(cuts), len(leaves)]:
        edge, _ = append(edge, leaves[edge.size : cut])
    assert edge.root() == tree_hash(leaves)
    assert edge.size == len(leaves)


@given(logs.filter(bool), st.data())
def test_a_proof_holds_for_its_leaf_and_for_no_other_hash(
    leaves: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    old = data.draw(st.integers(0, len(leaves)))
    root, read = tree_hash(leaves), reader(leaves)
    path = inclusion_path(index, len(leaves), read)
    assert check_inclusion(leaves[index], index, len(leaves), path, root)
    other = data.draw(hashes.filter(lambda hash_: hash_ != leaves[index]))
    assert not check_inclusion(other, index, len(leaves), path, root)
    proof = consistency_path(old, len(leaves), read)
    older = tree_hash(leaves[:old])
    assert check_consistency(old, len(leaves), older, root, proof)
    changed = [other, *leaves[1:]] if index == 0 else leaves
    if changed != leaves and old:
        assert not check_consistency(old, len(leaves), tree_hash(changed[:old]), root, proof)


accounts = st.dictionaries(hashes, st.tuples(hashes, sums64), min_size=1, max_size=40).map(
    lambda found: sorted(Leaf(akey, *rest) for akey, rest in found.items())
)


@given(accounts, st.integers(0, 5), st.data())
def test_the_map_holds_each_account_once_and_adds_up(
    leaves: list[Leaf], bits: int, data: st.DataObject
) -> None:
    tree = SumTree.of(cell.packed() for cell in cells(leaves, bits))
    root = tree.root
    assert root.accounts == len(leaves)
    assert root.sums == tuple(map(sum, zip(*(leaf.sums for leaf in leaves), strict=True)))
    leaf = data.draw(st.sampled_from(leaves))
    number_ = cell_number(leaf.akey, bits)
    inside = [one for one in leaves if cell_number(one.akey, bits) == number_]
    proof = prove(tree, inside, leaf.akey)
    assert check_proof(leaf, proof, bits, root)
    assert not check_proof(leaf._replace(hash=digest("other")), proof, bits, root)
    replaced = [one._replace(sums=(1, 2, 3, 4)) for one in inside]
    changed = {number_: cell_of(number_, replaced).packed()}
    others = [one for one in leaves if one not in inside]
    rebuilt = SumTree.of(cell.packed() for cell in cells(sorted([*others, *replaced]), bits))
    assert tree.replaced(changed) == rebuilt


@given(st.lists(st.integers(-1, 30), max_size=30), st.randoms(use_true_random=False))
def test_numbering_does_not_depend_on_the_order_of_arrival(refs: list[int], random: Random) -> None:
    """Entry i corrects an earlier one, or nothing; any order gives the same places."""
    entries_ = [
        Unnumbered(
            uuid7(at),
            entry_body(Entry(1, digest(at), 1, 1, 1, digest("d"), digest("c"))),
            uuid7(ref) if 0 <= ref < at else None,
        )
        for at, ref in enumerate(refs)
    ]
    placed = number(entries_, 7, {})
    mixed = entries_.copy()
    random.shuffle(mixed)
    assert number(mixed, 7, {}) == placed
    assert sorted(at.log_index for at in placed) == list(range(7, 7 + len(entries_)))
    index_of = {at.id: at.log_index for at in placed}
    for at in placed:
        corrected = entries_[[one.id for one in entries_].index(at.id)].corrects
        assert at.ref == (index_of[corrected] + 1 if corrected else 0)
        assert corrected is None or index_of[corrected] < at.log_index
