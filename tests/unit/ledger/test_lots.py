"""The bytes of a lot: a row opens for whoever has its salt, and a draw is anybody's to repeat."""

from dataclasses import fields, replace
from hashlib import sha256
from uuid import UUID

import pytest

from ledger.log import inclusion_path, reader, tree_hash
from ledger.lots import (
    LotRow,
    check_row,
    draw,
    nonce_commitment,
    row_leaf,
    row_salt,
    sample_seed,
)

LOT, ACT = UUID(int=1), UUID(int=2)
ROW = LotRow(LOT, ACT, b"k" * 32, 20_000, 1_000_000, 400_000, b"e" * 32)
SALT = row_salt(b"s" * 32, LOT, ACT)
OTHER = {
    "lot": ACT,
    "act": LOT,
    "asset_key": b"l" * 32,
    "day": 20_001,
    "act_mg": 1_000_001,
    "mg": 400_001,
    "evidence": bytes(32),
}


def test_the_bytes_are_frozen() -> None:
    assert row_leaf(ROW, SALT).hex() == (
        "dd95cf40e3211e6e7aed6d1e4a5eb9623fb1d62c7e97c69c2d81bb672bb723a2"
    )
    assert nonce_commitment(LOT, "verifier", b"n" * 32).hex() == (
        "083887a43159aa37abb3d878f6d5720d4f93c146340c21164ef4d21aa6f5a6f3"
    )
    assert sample_seed(b"b" * 32, b"v" * 32, b"r" * 32).hex() == (
        "0467123547c6fada153f15ab9c2d2e7344cd354ef322a4f78299aaf8eca72152"
    )


@pytest.mark.parametrize("name", [each.name for each in fields(LotRow)])
def test_every_field_is_in_the_leaf(name: str) -> None:
    changed = replace(ROW, **{name: OTHER[name]})
    assert row_leaf(changed, SALT) != row_leaf(ROW, SALT)


def test_a_row_opens_with_its_own_salt_alone() -> None:
    leaves = sorted([row_leaf(ROW, SALT), *(sha256(bytes([n])).digest() for n in range(6))])
    position = leaves.index(row_leaf(ROW, SALT))
    path = inclusion_path(position, len(leaves), reader(leaves))
    facts = (position, len(leaves), path, tree_hash(leaves))
    assert check_row(ROW, SALT, *facts)
    assert not check_row(ROW, row_salt(b"t" * 32, LOT, ACT), *facts)
    assert not check_row(replace(ROW, mg=ROW.mg + 1), SALT, *facts)
    assert not check_row(ROW, SALT, *facts[:-1], bytes(32))


def test_a_draw_is_its_seed_s_and_as_long_as_was_asked() -> None:
    leaves = [sha256(n.to_bytes(4, "big")).digest() for n in range(1000)]
    seed = sample_seed(b"b" * 32, b"v" * 32, b"r" * 32)
    drawn = draw(seed, leaves, 50)
    assert drawn == draw(seed, leaves, 500)[:50]
    assert len({position for position, _ in drawn}) == 50
    assert all(leaves[position] == leaf for position, leaf in drawn)
    assert drawn != draw(sample_seed(b"b" * 32, b"v" * 32, b"s" * 32), leaves, 50)
    # No leaf is likelier than another: over many seeds each tenth is drawn about as often.
    tenths = [0] * 10
    for n in range(200):
        for position, _ in draw(sha256(bytes([n])).digest(), leaves, 10):
            tenths[position // 100] += 1
    assert all(140 <= count <= 260 for count in tenths), tenths


def test_negative_and_too_large_numbers_have_no_bytes() -> None:
    for wrong in (replace(ROW, mg=-1), replace(ROW, act_mg=1 << 64)):
        with pytest.raises(OverflowError):
            row_leaf(wrong, SALT)
