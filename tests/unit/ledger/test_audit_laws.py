"""The audit of transfers, balances, headers and supply: each broken law is named."""

from dataclasses import replace

import pytest

from ledger.account_map import SumTree, cell_of
from ledger.accounts import AccountKind, system
from ledger.audit import (
    check_books,
    check_clearing,
    check_headers,
    check_live,
    check_log,
    check_supply,
)
from ledger.audit_map import check_map
from ledger.encoding import account_leaf
from ledger.extras import SupplyRow
from ledger.findings import (
    AnchorRow,
    BalanceRow,
    CellRow,
    FindingKind,
    HeaderRow,
    LiveRow,
    LogRow,
    MovementRow,
)
from ledger.log import tree_hash
from tests.unit.ledger.tampering import Books, honest, movement, where
from tests.vectors.city import digest, small_city, uuid7

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


def test_a_balance_of_a_closed_asset_is_held_by_its_net() -> None:
    earning = movement(honest().city.placed[0])
    stored = BalanceRow(earning.bucket, earning.target, earning.asset, earning.amount, 0)
    closed = {earning.asset}

    def told(*rows: MovementRow, row: BalanceRow, of: set[int]) -> list[str]:
        found = check_books(rows, [row], of)
        return [each.detail for each in found if each.kind is FindingKind.BALANCE]

    emptied = earning._replace(
        source=earning.target, source_kind=1, target=system("pool").id, target_kind=100, code=3
    )
    again = (earning, emptied, earning)
    assert told(*again, row=stored, of=closed) == []
    assert told(*again, row=stored, of=set()), "an open asset has every credit"
    assert told(*again, row=stored._replace(credits=earning.amount - 1), of=closed)
    assert told(*again, row=stored._replace(debits=1), of=closed)
    more = stored._replace(credits=3 * earning.amount, debits=2 * earning.amount)
    assert told(*again, row=more, of=closed), "it has more than ever came"


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
