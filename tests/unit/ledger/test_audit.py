"""The audit: silent on honest books, and each tampering of `anchoring.md` §7.5 named in place."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from ledger.account_map import SumTree, cell_of, cells
from ledger.accounts import AccountKind, bucket_of, system
from ledger.assets import Asset, Reduction, kind_of, unit_of
from ledger.audit import (
    check_books,
    check_clearing,
    check_headers,
    check_live,
    check_log,
    check_supply,
)
from ledger.audit_map import check_map
from ledger.encoding import Entry, account_leaf, entry_body, leaf_salt
from ledger.extras import SupplyRow
from ledger.findings import (
    AnchorRow,
    BalanceRow,
    CellRow,
    Finding,
    FindingKind,
    FoldRow,
    HeaderRow,
    LeafRow,
    LiveRow,
    LogRow,
    MovementRow,
)
from ledger.folding import Part
from ledger.header import Header
from ledger.log import tree_hash
from tests.vectors.city import METRO_A, City, Placed, digest, owner_of, small_city, uuid7

ASSETS: dict[Asset, int] = {METRO_A: 1}


def movement(placed: Placed) -> MovementRow:
    transfer = placed.transfer
    asset = transfer.asset
    return MovementRow(
        transfer.id,
        0 if transfer.bucket is None else transfer.bucket,
        transfer.code,
        transfer.source.id,
        transfer.source.kind,
        transfer.target.id,
        transfer.target.kind,
        ASSETS.setdefault(asset, len(ASSETS) + 1),
        kind_of(asset),
        asset.grade if isinstance(asset, Reduction) else "",
        transfer.amount,
    )


def part(placed: Placed) -> Part:
    if placed.transfer.is_internal:
        return Part.BOTH
    return Part.TARGET if placed.transfer.source.is_system else Part.SOURCE


@dataclass
class Books:
    """Everything an auditor reads, of the city after its last epoch."""

    city: City
    movements: list[MovementRow]
    balances: list[BalanceRow]
    log: list[LogRow]
    folds: list[FoldRow]
    anchors: list[AnchorRow]
    leaves: list[LeafRow]
    cells: list[CellRow]
    headers: list[HeaderRow]
    chain: dict[int, bytes]

    def findings(self) -> list[Finding]:
        """Audit everything."""
        headers = [Header.of(row.data) for row in self.headers]
        rows = (
            sorted(self.folds, key=lambda row: (row.akey, row.log_index)),
            sorted(self.anchors),
            sorted(self.leaves),
        )
        found = [*check_books(self.movements, self.balances)]
        found += check_log(self.log, headers)
        found += check_map(rows, self.cells, headers[-1], erasures=1)
        found += check_headers(
            self.headers, lambda epoch: self.chain.get(epoch, bytes(32)), len(self.chain)
        )
        return found


def honest() -> Books:
    city = small_city()
    last = city.headers[-1]
    states = city.states[-1]
    movements = [movement(placed) for placed in city.placed]
    totals: dict[tuple[int, int], list[int]] = {}
    for row in movements:
        for account, side in ((row.source, 1), (row.target, 0)):
            if account >= 65_536:
                totals.setdefault((account, row.asset), [0, 0])[side] += row.amount
    by_index = {placed.log_index: placed for placed in city.placed}
    numbers = {placed.transfer.id: placed.log_index for placed in city.placed}
    log: list[LogRow] = []
    for index, leaf in enumerate(city.log):
        placed = by_index.get(index)
        if placed is None:  # the note of the erasure
            log.append(LogRow(index, uuid7("note"), leaf, None, is_erased=True))
            continue
        corrects = placed.transfer.corrects
        body = entry_body(placed.entry)
        at = numbers[corrects] if corrects else None
        log.append(LogRow(index, placed.transfer.id, leaf, body, at))
    folds: list[FoldRow] = []
    for placed in city.placed:
        for number in {placed.transfer.source.owner_id, placed.transfer.target.owner_id} - {None}:
            assert number is not None
            unit, amount = unit_of(placed.transfer.asset), placed.transfer.amount
            akey = city.owners[number].akey
            folds.append(FoldRow(akey, placed.log_index, placed.leaf, part(placed), unit, amount))
    anchors = [
        AnchorRow(
            *(state.akey, state.ver, state.epoch, state.entries, state.sums, state.head),
            leaf_salt(city.owners[number].secret, state.ver),
        )
        for number, state in states.items()
    ]
    return Books(
        city,
        movements,
        [
            BalanceRow(bucket_of(account & ~1), account, asset, *sums)
            for (account, asset), sums in totals.items()
        ],
        log,
        folds,
        anchors,
        [LeafRow(leaf.akey, leaf.hash) for leaf in city.leaves(last.epoch)],
        [CellRow(*cell, cell.packed()[:32]) for cell in cells(city.leaves(last.epoch), last.bits)],
        [HeaderRow(header.epoch, header.to_bytes(), header.hash()) for header in city.headers],
        {header.epoch: header.hash() for header in city.headers},
    )


def where(found: Iterable[Finding], kind: FindingKind) -> list[str]:
    return [finding.where for finding in found if finding.kind is kind]


def anchor_of(books: Books, serial: int) -> int:
    akey = owner_of(serial).akey
    return next(at for at, row in enumerate(books.anchors) if row.akey == akey)


def place_of(books: Books, akey: bytes) -> str:
    return f"account {akey.hex()}, cell {akey[0] >> (8 - books.city.headers[-1].bits)}"


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


FIRST = movement(honest().city.placed[0])


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (FIRST._replace(amount=0), "moves 0"),
        (FIRST._replace(source=FIRST.target), "to itself"),
        (FIRST._replace(code=99), "not in the chart"),
        (FIRST._replace(grade="C"), "not in the chart"),
        (FIRST._replace(bucket=FIRST.bucket ^ 1), "not in its owner's"),
        (FIRST._replace(source=70_000, source_kind=1), "two owners"),
    ],
)
def test_a_transfer_against_the_laws_is_named(broken: MovementRow, told: str) -> None:
    found = [finding for finding in check_books([broken], []) if finding.kind is FindingKind.LAW]
    assert found
    assert all(finding.where == f"transfer {broken.id}" for finding in found)
    assert any(told in finding.detail for finding in found)


def test_a_balance_is_its_replay_or_absent_at_zero() -> None:
    earning, spending = movement(honest().city.placed[0]), movement(honest().city.placed[0])
    out = system("pool").id
    spending = spending._replace(source=earning.target, source_kind=1, target=out, target_kind=100)
    spending = spending._replace(code=3)
    key = (earning.target, earning.asset)
    bare = BalanceRow(earning.bucket, *key, earning.amount, earning.amount)
    both = [earning, spending]
    balance = [FindingKind.BALANCE]
    assert not [found for found in check_books(both, [bare]) if found.kind in balance]
    assert not [found for found in check_books(both, []) if found.kind in balance]
    missing = [found for found in check_books([earning], []) if found.kind in balance]
    assert "no row" in missing[0].detail
    told = list(check_books([spending], [bare._replace(credits=0)]))
    assert "overdrawn by" in told[-1].detail
    assert len(list(check_books([], [bare]))) == 1


def test_entries_beyond_or_short_of_the_headers_are_named() -> None:
    books = honest()
    books.headers.pop()
    found = list(check_log(books.log, books.city.headers[:3]))
    assert found[0].kind is FindingKind.ORDER
    assert found[0].where == f"log_index {books.city.headers[2].log_size}"
    short = list(check_log(books.log[:-1], books.city.headers))
    assert [finding.kind for finding in short] == [FindingKind.ORDER, FindingKind.LOG_ROOT]
    assert list(check_log([], [])) == []


def test_a_long_log_is_read_in_pieces() -> None:
    leaves = [digest(at) for at in range(5000)]
    rows = [LogRow(at, uuid7(at), leaf, None, is_erased=True) for at, leaf in enumerate(leaves)]
    header = replace(small_city().headers[0], log_size=5000, log_root=tree_hash(leaves))
    assert list(check_log(rows, [header])) == []


@pytest.mark.parametrize(
    ("at", "change", "told"),
    [
        (1, {"previous": bytes(32)}, "does not follow"),
        (1, {"epoch": 7}, "does not follow"),
        (1, {"origin_tag": bytes(32)}, "another origin"),
        (1, {"log_size": 0}, "went back"),
        (1, {"closed_at": 0}, "went back"),
        (1, {"sums": (0, 0, 0, 0)}, "counters went back"),
        (1, {"sums": (0, 1, 0, 0)}, "less than nothing"),
        (1, {"sums": (10**9, 0, 0, 10**9)}, "less than nothing"),
    ],
)
def test_a_header_out_of_line_is_named(at: int, change: dict[str, object], told: str) -> None:
    books = honest()
    forged = replace(books.city.headers[at], **change)  # pyright: ignore[reportArgumentType] -- named above
    books.headers[at] = HeaderRow(at + 1, forged.to_bytes(), forged.hash())
    found = check_headers(books.headers, lambda epoch: books.chain[epoch], 4)
    assert any(told in finding.detail for finding in found if finding.where == f"epoch {at + 1}")


def test_stored_hashes_are_not_believed() -> None:
    books = honest()
    books.headers[0] = books.headers[0]._replace(hash=bytes(32))
    assert where(books.findings(), FindingKind.HEADER) == ["epoch 1"]
    broken = [HeaderRow(1, b"", bytes(32))]
    assert where(check_headers(broken, lambda _: bytes(32), 0), FindingKind.HEADER) == ["epoch 1"]


def test_a_chain_ahead_a_chain_behind_and_a_chain_that_forgot() -> None:
    books = honest()
    three = books.headers[:3]
    found = list(check_headers(three, lambda epoch: books.chain[epoch], 4))
    assert [finding.kind for finding in found] == [FindingKind.CHAIN]
    assert "rolled back" in found[0].detail
    assert list(check_headers(books.headers, lambda epoch: books.chain[epoch], 2)) == []
    forgot = list(check_headers(books.headers, lambda _: bytes(32), 4))
    assert [finding.where for finding in forgot] == [f"epoch {epoch}" for epoch in (1, 2, 3, 4)]


def supply(books: Books) -> list[SupplyRow]:
    rows: dict[tuple[bytes, int, str], list[int]] = {}
    for placed in books.city.placed:
        for side, account in enumerate((placed.transfer.source, placed.transfer.target)):
            if account.kind is AccountKind.SYSTEM:
                key = (placed.entry.asset_key, placed.entry.unit, account.place)
                rows.setdefault(key, [0, 0])[side] += placed.transfer.amount
    return [SupplyRow(*key, *sums) for key, sums in rows.items()]


def test_owners_and_system_accounts_add_up_to_zero() -> None:
    """The header's credits − debits are the opposite of the system accounts' nets (R34).

    The city corrects a pooled 100 mg between two system accounts: that leaves the sum alone.
    """
    books = honest()
    rows = supply(books)
    header = books.city.headers[-1]
    assert list(check_supply(rows, header)) == []
    at = next(at for at, row in enumerate(rows) if row.unit == 2)
    rows[at] = rows[at]._replace(debits=rows[at].debits + 1)
    rows.append(SupplyRow(digest(1), 1, "nobody", 0, 0))
    assert where(check_supply(rows, header), FindingKind.SUPPLY) == ["points", "nobody"]


def test_clearing_is_empty_once_the_outbox_is_drained() -> None:
    rows = [SupplyRow(digest(at), 3, "clearing", 5, 5 + at) for at in (0, 1)]
    rows.append(SupplyRow(digest(2), 3, "retired", 0, 9))
    assert where(check_clearing(rows), FindingKind.CLEARING) == [f"asset {digest(1).hex()}"]


def test_a_live_balance_is_the_anchored_one_and_what_waits() -> None:
    rows = [LiveRow("ctz_1", 1, 10, 7, 3), LiveRow("ctz_2", 2, 10, 7, 2)]
    assert where(check_live(rows), FindingKind.LIVE) == ["ctz_2, unit 2"]


def test_a_city_without_accounts_has_one_empty_cell() -> None:
    cell = cell_of(0, [])
    root = SumTree.of([cell.packed()]).root
    header = replace(
        small_city().headers[0], bits=0, account_root=root.hash, account_count=0, sums=root.sums
    )
    row = CellRow(*cell, cell.packed()[:32])
    assert list(check_map(([], [], []), [row], header, 0)) == []
    lonely = AnchorRow(digest("a"), salt=digest("s"))
    assert account_leaf(small_city().states[1][65_536], bytes(32))
    found = list(check_map(([], [lonely], []), [row], header, 0))
    assert where(found, FindingKind.ACCOUNT)
