"""What an epoch close is made of: numbering, folding, extras, the signed checkpoint."""

from base64 import b64decode, b64encode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.checkpoint import Checkpoint, Verify, key_id, open_note, signed_note
from ledger.encoding import AccountState, Entry, entry_body, entry_leaf, fold_head
from ledger.extras import SupplyRow, aux_root, methodology_root, supply_digest, supply_nets
from ledger.folding import Part, close, counted, fold
from ledger.numbering import Unnumbered, number
from tests.vectors.city import digest, uuid7

KEY = Ed25519PrivateKey.from_private_bytes(digest("key"))
PUBLIC = KEY.public_key().public_bytes_raw()
TREE = Checkpoint("carbon.example/anchors", 4, digest("root"))
NOTE = signed_note(TREE, "carbon.example", PUBLIC, KEY.sign)


def verifier(key: Ed25519PrivateKey) -> Verify:
    def verify(signature: bytes, message: bytes) -> bool:
        try:
            key.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verify


def waiting(name: str, corrects: str | None = None) -> Unnumbered:
    body = entry_body(Entry(1, digest(name), 1, 1, 1, digest("d"), digest("c")))
    return Unnumbered(uuid7(name), body, uuid7(corrects) if corrects else None)


def test_entries_without_reference_are_ordered_by_their_hash() -> None:
    entries = [waiting(str(at)) for at in range(20)]
    placed = number(entries, 100, {})
    assert [at.log_index for at in placed] == list(range(100, 120))
    assert [at.leaf for at in placed] == sorted(entry_leaf(entry.body) for entry in entries)
    assert number(list(reversed(entries)), 100, {}) == placed


def test_a_correction_comes_in_the_round_after_what_it_corrects() -> None:
    """Chains within one epoch, and a reference to an earlier epoch, which is in round one."""
    entries = [waiting("a"), waiting("b", "a"), waiting("c", "b"), waiting("d", "old")]
    for order in (entries, entries[::-1], entries[2:] + entries[:2]):
        placed = {at.id: at for at in number(order, 10, {uuid7("old"): 3})}
        first = {placed[uuid7("a")].log_index, placed[uuid7("d")].log_index}
        assert first == {10, 11}
        assert placed[uuid7("d")].ref == 4
        assert placed[uuid7("b")].log_index == 12
        assert placed[uuid7("b")].ref == placed[uuid7("a")].log_index + 1
        assert placed[uuid7("c")].ref == 13
        assert placed[uuid7("c")].leaf == entry_leaf(waiting("c").body, 13)


def test_two_corrections_of_one_entry_are_ordered_by_their_hash() -> None:
    placed = number([waiting("a"), waiting("b", "a"), waiting("c", "a")], 0, {})
    assert [at.ref for at in placed] == [0, 1, 1]
    assert placed[1].leaf < placed[2].leaf


def test_a_correction_of_nothing_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="nowhere"):
        number([waiting("a", "missing")], 0, {})
    assert number([], 0, {}) == []


def test_counters_count_what_crosses_to_a_system_account() -> None:
    assert counted((1, 1, 1, 1), Part.TARGET, 1, 5) == (6, 1, 1, 1)
    assert counted((1, 1, 1, 1), Part.SOURCE, 1, 5) == (1, 6, 1, 1)
    assert counted((1, 1, 1, 1), Part.TARGET, 2, 5) == (1, 1, 6, 1)
    assert counted((1, 1, 1, 1), Part.SOURCE, 2, 5) == (1, 1, 1, 6)


@pytest.mark.parametrize(
    ("part", "unit"), [(Part.BOTH, 1), (Part.BOTH, 2), (Part.SOURCE, 3), (Part.TARGET, 4)]
)
def test_own_moves_units_and_money_change_no_counter_and_the_head_once(
    part: Part, unit: int
) -> None:
    start = AccountState(digest("akey"))
    after = fold(start, digest("leaf"), part, unit, 9)
    assert after.sums == (0, 0, 0, 0)
    assert after.entries == 1
    assert after.head == fold_head(bytes(32), digest("leaf"))


def test_a_version_comes_with_each_epoch_of_change() -> None:
    once = close(AccountState(digest("akey")), 3)
    assert (once.ver, once.epoch) == (1, 3)
    assert close(once, 4).ver == 2
    with pytest.raises(AssertionError):
        close(once, 3)


def test_extras_do_not_depend_on_the_order_given() -> None:
    named = {"supply": digest(1), "debts": digest(2), "cancellations": digest(3)}
    assert aux_root(named) == aux_root(dict(reversed(named.items())))
    assert aux_root(named) != aux_root({**named, "debts": digest(3)})
    rows = [SupplyRow(digest(at), 1, name, at, 1) for at in (1, 2) for name in ("pool", "given")]
    assert supply_digest(rows) == supply_digest(rows[::-1])
    assert supply_nets(rows) == {1: 4 - 6}
    versions = [(digest(at), digest("c", at)) for at in range(3)]
    assert methodology_root(versions) == methodology_root(versions[::-1])


@pytest.mark.parametrize("wrong", [{"unheard-of": digest(1)}, {"supply": b"short"}])
def test_extras_are_registered_names_with_32_bytes(wrong: dict[str, bytes]) -> None:
    with pytest.raises(AssertionError):
        aux_root(wrong)


def test_rows_of_another_width_are_a_defect() -> None:
    with pytest.raises(AssertionError):
        supply_digest([SupplyRow(b"short", 1, "pool", 0, 0)])
    with pytest.raises(AssertionError):
        methodology_root([(b"short", digest(1))])


def test_a_checkpoint_opens_with_its_key_alone() -> None:
    assert open_note(NOTE, "carbon.example", PUBLIC, verifier(KEY)) == TREE
    both = NOTE + "— witness.example AAAAAAAA\n"
    assert open_note(both, "carbon.example", PUBLIC, verifier(KEY)) == TREE
    assert b64decode(NOTE.split()[-1])[:4] == key_id("carbon.example", PUBLIC)
    other = Ed25519PrivateKey.from_private_bytes(digest("other"))
    for name, public, key in (
        ("else.example", PUBLIC, KEY),
        ("carbon.example", other.public_key().public_bytes_raw(), KEY),
        ("carbon.example", PUBLIC, other),
    ):
        with pytest.raises(ValueError, match="not signed by"):
            open_note(NOTE, name, public, verifier(key))


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n4\n", "\n5\n"),
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\n4\n", "\n4\nextension\n"),
        "",
    ],
)
def test_a_changed_checkpoint_does_not_open(note: str) -> None:
    with pytest.raises(ValueError, match=r"not signed by|no signed checkpoint"):
        open_note(note, "carbon.example", PUBLIC, verifier(KEY))


def test_a_checkpoint_has_one_spelling() -> None:
    short = signed_note(TREE._replace(root=b"short"), "carbon.example", PUBLIC, KEY.sign)
    with pytest.raises(ValueError, match="canonical"):
        open_note(short, "carbon.example", PUBLIC, verifier(KEY))
    body = TREE.body().replace("\n4\n", "\n04\n")
    packed = key_id("k", PUBLIC) + KEY.sign(body.encode())
    with pytest.raises(ValueError, match="canonical"):
        open_note(f"{body}\n— k {b64encode(packed).decode()}\n", "k", PUBLIC, verifier(KEY))


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_a_key_name_has_no_space_and_no_plus(name: str) -> None:
    with pytest.raises(AssertionError):
        signed_note(TREE, name, PUBLIC, KEY.sign)
