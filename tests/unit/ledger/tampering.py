"""An auditor's rows of a small city, to be tampered with."""

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.account_map import cells
from ledger.accounts import bucket_of
from ledger.assets import Asset, Reduction, kind_of, unit_of
from ledger.audit import (
    check_books,
    check_headers,
    check_log,
)
from ledger.audit_map import check_map
from ledger.encoding import entry_body, leaf_salt
from ledger.findings import (
    AnchorRow,
    BalanceRow,
    CellRow,
    Finding,
    FindingKind,
    FoldRow,
    HeaderRow,
    LeafRow,
    LogRow,
    MovementRow,
)
from ledger.folding import Part
from ledger.header import Header
from tests.vectors.city import METRO_A, City, Placed, owner_of, small_city, uuid7

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
