"""The audit: silent on honest books, and each tampering of `anchoring.md` §7.5 named in place."""

from dataclasses import replace

import pytest

from ledger.audit import (
    check_headers,
)
from ledger.encoding import Entry, entry_body
from ledger.findings import (
    AnchorRow,
    Finding,
    FindingKind,
    HeaderRow,
)
from ledger.log import tree_hash
from tests.unit.ledger.tampering import anchor_of, honest, place_of, where
from tests.vectors.city import Placed, digest, owner_of


def test_honest_books_have_no_finding() -> None:
    assert honest().findings() == []


def test_a_raised_account_balance_names_account_and_cell() -> None:
    """1 of 8: counters of an account + 1."""
    books = honest()
    at = anchor_of(books, 5)
    row = books.anchors[at]
    books.anchors[at] = row._replace(sums=(row.sums[0] + 1, *row.sums[1:]))
    found = books.findings()
    here = place_of(books, row.akey)
    assert where(found, FindingKind.ACCOUNT) == [here]
    assert where(found, FindingKind.LEAF) == [here]
    assert here.split(", ")[1] in where(found, FindingKind.CELL)


def test_a_raised_stored_balance_names_account_and_asset() -> None:
    """1 of 8, on the live side: a stored balance + 1."""
    books = honest()
    row = books.balances[7]
    books.balances[7] = row._replace(credits=row.credits + 1)
    found = books.findings()
    assert where(found, FindingKind.BALANCE) == [f"account {row.account}, asset {row.asset}"]


def retold(placed: Placed, **change: int | bytes) -> bytes:
    entry: Entry = replace(placed.entry, **change)  # pyright: ignore[reportArgumentType] -- named by the caller
    return entry_body(entry)


def test_a_changed_amount_names_the_entry_and_the_account() -> None:
    """2 of 8: an amount in one row of the journal."""
    books = honest()
    placed = books.city.placed[4]
    index = placed.log_index
    books.log[index] = books.log[index]._replace(body=retold(placed, amount=7))
    at = next(at for at, row in enumerate(books.folds) if row.log_index == index)
    books.folds[at] = books.folds[at]._replace(amount=7)
    found = books.findings()
    assert where(found, FindingKind.ENTRY) == [f"log_index {index}, id {placed.transfer.id}"]
    assert where(found, FindingKind.ACCOUNT) == [place_of(books, books.folds[at].akey)]


def test_a_deleted_row_names_its_place_in_the_log_and_the_account() -> None:
    """3 of 8: with its log row left, and with that gone too."""
    books = honest()
    placed = books.city.placed[4]
    index = placed.log_index
    fold = next(row for row in books.folds if row.log_index == index)
    books.folds.remove(fold)
    books.log[index] = books.log[index]._replace(body=None)
    found = books.findings()
    assert where(found, FindingKind.ENTRY) == [f"log_index {index}, id {placed.transfer.id}"]
    assert where(found, FindingKind.ACCOUNT) == [place_of(books, fold.akey)]
    del books.log[index]
    found = books.findings()
    assert f"log_index {index}" in where(found, FindingKind.ORDER)
    assert where(found, FindingKind.LOG_ROOT)
    assert where(found, FindingKind.ACCOUNT) == [place_of(books, fold.akey)]


def test_a_row_moved_to_another_account_names_the_entry_and_both() -> None:
    """4 of 8."""
    books = honest()
    placed = books.city.placed[4]
    index = placed.log_index
    at = next(at for at, row in enumerate(books.folds) if row.log_index == index)
    robbed = books.folds[at].akey
    thief = next(owner_of(serial).akey for serial in (7, 8) if owner_of(serial).akey != robbed)
    books.folds[at] = books.folds[at]._replace(akey=thief)
    commit = digest("the thief's commitment")
    books.log[index] = books.log[index]._replace(body=retold(placed, credit_commit=commit))
    found = books.findings()
    assert where(found, FindingKind.ENTRY) == [f"log_index {index}, id {placed.transfer.id}"]
    both = {place_of(books, robbed), place_of(books, thief)}
    assert set(where(found, FindingKind.ACCOUNT)) == both


def test_a_deleted_account_is_named_by_what_remains() -> None:
    """5 of 8: its state; its state and leaf; and everything of it."""
    books = honest()
    at = anchor_of(books, 5)
    akey = books.anchors.pop(at).akey
    here = place_of(books, akey)
    found = books.findings()
    assert Finding(FindingKind.ACCOUNT, here, "deleted: only its leaf remain") in found
    books.leaves = [row for row in books.leaves if row.akey != akey]
    found = books.findings()
    assert Finding(FindingKind.ACCOUNT, here, "deleted: only its entries remain") in found
    assert where(found, FindingKind.CELL)
    assert where(found, FindingKind.ACCOUNT_ROOT)
    books.folds = [row for row in books.folds if row.akey != akey]
    found = books.findings()
    assert set(where(found, FindingKind.CELL)) == {here.split(", ")[1]}


def test_a_phantom_account_is_named_with_its_cell() -> None:
    """6 of 8: ten tonnes for nobody."""
    books = honest()
    akey, salt = digest("phantom"), digest("salt")
    row = AnchorRow(akey, 1, 4, 1, (10**10, 0, 0, 0), digest("head"), salt)
    books.anchors.append(row)
    found = books.findings()
    here = place_of(books, akey)
    assert Finding(FindingKind.ACCOUNT, here, "phantom: it has no entries") in found
    assert where(found, FindingKind.LEAF) == [here]
    assert here.split(", ")[1] in where(found, FindingKind.CELL)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"sums": (1, 2, 3, 4)}, "sums"),
        ({"accounts": 999}, "accounts"),
        ({"leaf_root": bytes(32)}, "leaf root"),
        ({"hash": bytes(32)}, "node"),
    ],
)
def test_an_edited_cell_is_named(change: dict[str, object], detail: str) -> None:
    """7 of 8."""
    books = honest()
    books.cells[2] = books.cells[2]._replace(**change)
    found = books.findings()
    assert [finding.where for finding in found] == ["cell 2"]
    assert detail in found[0].detail


def test_everything_rewritten_to_the_header_is_not_what_the_chain_has() -> None:
    """8 of 8: another city, in itself in order; only the chain says otherwise."""
    books, true = honest(), honest()
    placed = books.city.placed[4]
    index = placed.log_index
    other = books.log[index]._replace(body=retold(placed, amount=999_999), leaf=digest("new"))
    books.log[index] = other
    rewritten = books.city.headers[0]
    leaves = [row.leaf for row in books.log[: rewritten.log_size]]
    forged = replace(rewritten, log_root=tree_hash(leaves))
    books.headers[0] = HeaderRow(1, forged.to_bytes(), forged.hash())
    found = list(
        check_headers(books.headers[:1], lambda epoch: true.chain.get(epoch, bytes(32)), 1)
    )
    assert [(finding.kind, finding.where) for finding in found] == [(FindingKind.CHAIN, "epoch 1")]
    assert true.chain[1].hex() in found[0].detail


def test_a_frozen_leaf_counts_for_its_hash_and_needs_the_note_of_an_erasure() -> None:
    books = honest()
    at = anchor_of(books, 5)
    akey = books.anchors[at].akey
    books.anchors[at] = books.anchors[at]._replace(salt=None)
    books.folds = [row for row in books.folds if row.akey != akey]
    assert books.findings() == []
    other = anchor_of(books, 6)
    books.anchors[other] = books.anchors[other]._replace(salt=None)
    assert where(books.findings(), FindingKind.ERASURE) == ["epoch 4"]
    books.anchors[other] = books.anchors[other]._replace(sums=(10**10, 0, 0, 0))
    assert where(books.findings(), FindingKind.CELL)
    books.leaves = [row for row in books.leaves if row.akey != akey]
    assert place_of(books, akey) in where(books.findings(), FindingKind.LEAF)


def test_another_history_of_the_same_length_and_sums_is_named() -> None:
    books = honest()
    at = anchor_of(books, 5)
    books.anchors[at] = books.anchors[at]._replace(head=digest("other"))
    assert where(books.findings(), FindingKind.ACCOUNT) == [place_of(books, books.anchors[at].akey)]


def test_two_accounts_with_one_key_are_named() -> None:
    books = honest()
    books.anchors.append(books.anchors[0]._replace(ver=9))
    assert where(books.findings(), FindingKind.ACCOUNT) == [place_of(books, books.anchors[0].akey)]


def test_a_missing_cell_row_and_one_too_many_are_named() -> None:
    books = honest()
    lost = books.cells.pop()
    assert where(books.findings(), FindingKind.CELL) == [f"cell {lost.number}"]
    books.cells += [lost, lost._replace(number=99)]
    assert where(books.findings(), FindingKind.CELL) == ["cell 99"]
    books.cells.pop(1)
    assert "cell 1" in where(books.findings(), FindingKind.CELL)
