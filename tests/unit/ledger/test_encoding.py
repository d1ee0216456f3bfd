"""The published bytes, against values copied from the design by hand."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from ledger.account_map import Leaf, SumTree, cell_of
from ledger.encoding import (
    CREDIT_SIDE,
    DEBIT_SIDE,
    AccountState,
    Entry,
    account_commit,
    account_leaf,
    cell_hash,
    entry_body,
    entry_leaf,
    entry_salt,
    evidence_commit,
    evidence_salt,
    leaf_salt,
    note,
    sums_bytes,
    system_akey,
    tag,
)
from ledger.header import HEADER_BYTES, Header
from tests.vectors.city import digest, uuid7
from tests.vectors.make import published_header
from tests.vectors.trees import AKEY, FIRST, METHODOLOGY, SALT

ENTRY = Entry(1, METHODOLOGY, 20_000, 1, 1234, digest("d"), digest("c"), digest("e"))


def test_the_prototypes_one_sided_entry_is_reproduced() -> None:
    """Its layout is not the product's; its commitment and its tag are."""
    fields = METHODOLOGY + (20_000).to_bytes(4) + (1234).to_bytes(8) + (123).to_bytes(8)
    preimage = b"\0" + tag("journal-entry") + b"\1" + fields + account_commit(AKEY, SALT)
    assert len(preimage) == 118
    assert sha256(preimage).hexdigest().startswith("76bdb1c920ec8e8c7dd45d6e39db5cadf25a453c")


def test_the_account_leaf_is_the_published_one() -> None:
    assert (
        account_leaf(FIRST, SALT).hex()
        == "e093d167c106c8cd3ceed94726f571b113108dfe7bd7d09900b3d08d66ef4360"
    )


def test_the_cells_and_their_root_are_the_published_ones() -> None:
    full = cell_of(0, [Leaf(AKEY, account_leaf(FIRST, SALT), FIRST.sums)]).packed()
    empty = cell_of(1, []).packed()
    root = SumTree.of([full, empty]).root
    assert full[:32].hex() == "30a740f94dfc5add5a22160fe905f5608a07c5b6d932ed7b17a6780e8cbbcc17"
    assert empty[:32].hex() == "519fdcd4acf133ab19d550e2735d54717324efe1a3baa891d12729077f8f1253"
    assert root.hash.hex() == "e440aa4adcb4b09bb5e3a095e21794d8380fabb40e219055a31bbda596f3edd1"
    assert (root.accounts, root.sums) == (1, (1234, 0, 123, 0))


def test_the_header_is_the_published_one() -> None:
    header = published_header()
    assert len(header.to_bytes()) == HEADER_BYTES
    assert header.hash().hex() == "da04ddf4cd0968dbafbba93c025401cddfbd877eeb3e1424299275eaea22d2d3"
    assert header.origin_tag.hex().startswith("967f24364493772333929682fc6a9050043b3160")
    assert Header.of(header.to_bytes()) == header


def test_an_entry_is_the_specified_183_bytes() -> None:
    body = entry_body(ENTRY)
    expected = b"".join(
        (
            *(b"\0", tag("journal-entry"), b"\1", METHODOLOGY, (20_000).to_bytes(4), b"\1"),
            *((1234).to_bytes(8), digest("d"), digest("c"), digest("e")),
        )
    )
    assert body == expected
    assert len(body + bytes(8)) == 183
    assert entry_leaf(body, 7) == sha256(expected + (7).to_bytes(8)).digest()


@pytest.mark.parametrize(
    "change",
    [
        {"code": 2},
        {"asset_key": digest("x")},
        {"day": 20_001},
        {"unit": 2},
        {"amount": 1235},
        {"debit_commit": digest("x")},
        {"credit_commit": digest("x")},
        {"evidence_commit": digest("x")},
    ],
)
def test_any_field_of_an_entry_changes_its_hash(change: dict[str, int | bytes]) -> None:
    other = replace(ENTRY, **change)  # pyright: ignore[reportArgumentType] -- the fields are named above
    assert entry_leaf(entry_body(other)) != entry_leaf(entry_body(ENTRY))


def test_a_reference_changes_the_hash() -> None:
    assert entry_leaf(entry_body(ENTRY), 1) != entry_leaf(entry_body(ENTRY))


@pytest.mark.parametrize(
    "change",
    [
        {"akey": digest("x")},
        {"ver": 2},
        {"epoch": 8},
        {"entries": 2},
        {"sums": (1235, 0, 123, 0)},
        {"sums": (1234, 1, 123, 0)},
        {"sums": (1234, 0, 124, 0)},
        {"sums": (1234, 0, 123, 1)},
        {"head": digest("x")},
    ],
)
def test_any_field_of_an_account_changes_its_leaf(change: dict[str, int | bytes]) -> None:
    other = replace(FIRST, **change)  # pyright: ignore[reportArgumentType] -- the fields are named above
    assert account_leaf(other, SALT) != account_leaf(FIRST, SALT)
    assert account_leaf(FIRST, digest("x")) != account_leaf(FIRST, SALT)


@pytest.mark.parametrize(
    "encode",
    [
        lambda: entry_body(replace(ENTRY, amount=-1)),
        lambda: entry_body(replace(ENTRY, amount=2**64)),
        lambda: entry_body(replace(ENTRY, code=256)),
        lambda: entry_body(replace(ENTRY, day=-1)),
        lambda: entry_leaf(entry_body(ENTRY), -1),
        lambda: entry_leaf(entry_body(ENTRY), 2**64),
        lambda: account_leaf(replace(FIRST, sums=(0, -1, 0, 0)), SALT),
        lambda: account_leaf(replace(FIRST, sums=(0, 0, 0, 2**64)), SALT),
        lambda: account_leaf(replace(FIRST, ver=2**32), SALT),
        lambda: sums_bytes((2**128, 0, 0, 0)),
        lambda: sums_bytes((-1, 0, 0, 0)),
        lambda: cell_hash(-1, 0, (0, 0, 0, 0), bytes(32)),
        lambda: cell_hash(0, 2**32, (0, 0, 0, 0), bytes(32)),
        lambda: replace(published_header(), epoch=-1).to_bytes(),
        lambda: replace(published_header(), log_size=2**64).to_bytes(),
        lambda: replace(published_header(), sums=(0, 0, 0, -1)).to_bytes(),
        lambda: leaf_salt(SALT, 2**32),
    ],
)
def test_negative_and_too_large_numbers_have_no_bytes(encode: Callable[[], bytes]) -> None:
    with pytest.raises(OverflowError):
        encode()


@pytest.mark.parametrize(
    "encode",
    [
        lambda: entry_body(replace(ENTRY, asset_key=b"short")),
        lambda: account_leaf(FIRST, b"short"),
        lambda: account_leaf(AccountState(b"short"), SALT),
        lambda: replace(published_header(), aux=b"").to_bytes(),
        lambda: replace(published_header(), bits=33).to_bytes(),
    ],
)
def test_a_field_of_another_width_is_a_defect(encode: Callable[[], bytes]) -> None:
    with pytest.raises(AssertionError):
        encode()


def test_kinds_of_preimage_share_no_beginning() -> None:
    tags = "journal-entry account-leaf bucket header asset methodology entry-account evidence"
    more = "system-account aux aux-entry supply-row methodology-version scenario programme batch"
    names = f"{tags} {more}".split()
    assert len({tag(name) for name in names}) == len(names)
    assert not {tag(name)[0] for name in ("header",)} & {0, 1, 2, 3, 4}
    assert tag("header")[0] == 0xA2


def test_a_note_moves_nothing() -> None:
    erased = note(200, 20_000, digest("l"), digest("r"))
    assert (erased.unit, erased.amount, erased.asset_key) == (0, 0, bytes(32))
    assert erased.evidence_commit == bytes(32)


def test_salts_differ_by_side_transfer_version_and_secret() -> None:
    one, two = uuid7("one"), uuid7("two")
    salts = {
        entry_salt(SALT, one, DEBIT_SIDE),
        entry_salt(SALT, one, CREDIT_SIDE),
        entry_salt(SALT, two, DEBIT_SIDE),
        entry_salt(AKEY, one, DEBIT_SIDE),
        leaf_salt(SALT, 1),
        leaf_salt(SALT, 2),
        evidence_salt(SALT, digest("external")),
    }
    assert len(salts) == 7
    assert evidence_commit(SALT, b"a") != evidence_commit(SALT, b"b")
    assert system_akey("pool") == sha256(tag("system-account") + b"pool").digest()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(HEADER_BYTES),
        published_header().to_bytes()[:-1],
        published_header().to_bytes()[:64] + b"\0\2\1\1" + published_header().to_bytes()[68:],
        published_header().to_bytes()[:67] + b"\x21" + published_header().to_bytes()[68:],
    ],
)
def test_other_bytes_are_no_header(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no header|unknown parameters"):
        Header.of(data)
