"""The audit of books, log and headers: recompute everything, name what differs.

Each function streams rows and yields findings; nothing found means that the rows are what
was anchored. Headers are compared with the chain's hashes, never with the database's own
(R26). The account map is audited in `audit_map`. Memory: one bucket's balances, and
otherwise a few thousand hashes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from ledger.accounts import FIRST_OWNER_ID, SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import chart_rows
from ledger.encoding import ZERO_HASH, entry_leaf
from ledger.extras import SupplyRow, supply_nets
from ledger.findings import (
    BalanceRow,
    Finding,
    FindingKind,
    HeaderRow,
    LiveRow,
    LogRow,
    MovementRow,
)
from ledger.header import Header
from ledger.log import Edge
from ledger.tiles import append

_CHART = frozenset(tuple(row) for row in chart_rows())
_CHUNK = 4096


def _owners(row: MovementRow) -> set[int]:
    return {number & ~1 for number in (row.source, row.target) if number >= FIRST_OWNER_ID}


def _system_id(number: int) -> int:
    return 0 if number >= FIRST_OWNER_ID else number


def _broken_laws(row: MovementRow) -> Iterator[str]:
    if row.amount <= 0:
        yield f"moves {row.amount}"
    if row.source == row.target:
        yield "moves from an account to itself"
    shape = (
        *(row.code, row.source_kind, _system_id(row.source)),
        *(row.target_kind, _system_id(row.target), row.asset_kind, row.grade),
    )
    if shape not in _CHART:
        yield f"code {row.code} may not move so: not in the chart of accounts"
    owners = _owners(row)
    if len(owners) > 1:
        yield "two owners share it"
    elif any(bucket_of(owner) != row.bucket for owner in owners):
        yield f"lies in bucket {row.bucket}, not in its owner's"


def check_books(
    rows: Iterable[MovementRow],
    balances: Iterable[BalanceRow],
    closed: Collection[int] = (),
) -> Iterator[Finding]:
    """Hold transfers to the laws, and stored balances to their replay.

    Args:
        rows: All transfers of some buckets, or of all.
        balances: All stored balances of the same buckets.
        closed: Assets whose empty balances are deleted, and begin anew at a late credit (R8): a
            stored balance may lack as much on either side.
    """
    replay: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        for broken in _broken_laws(row):
            yield Finding(FindingKind.LAW, f"transfer {row.id}", broken)
        for account, side in ((row.source, 1), (row.target, 0)):
            if account >= FIRST_OWNER_ID:
                replay.setdefault((account, row.asset), [0, 0])[side] += row.amount
    for stored in balances:
        credited, debited = replay.pop((stored.account, stored.asset), [0, 0])
        where = f"account {stored.account}, asset {stored.asset}"
        gone = max(0, credited - stored.credits) if stored.asset in closed else 0
        if (stored.credits + gone, stored.debits + gone) != (credited, debited):
            told = f"stored {stored.credits} − {stored.debits}, replayed {credited} − {debited}"
            yield Finding(FindingKind.BALANCE, where, told)
        if credited < debited:
            yield Finding(FindingKind.BALANCE, where, f"overdrawn by {debited - credited}")
    for (account, asset), (credited, debited) in replay.items():
        if credited != debited:  # a zero balance of a closed asset is deleted (R8)
            told = f"no row, replayed {credited} − {debited}"
            yield Finding(FindingKind.BALANCE, f"account {account}, asset {asset}", told)


def check_clearing(rows: Iterable[SupplyRow]) -> Iterator[Finding]:
    """Hold `clearing` to zero in every asset; true once the outbox is drained."""
    for row in rows:
        if row.system == "clearing" and row.credits != row.debits:
            told = f"holds {row.credits - row.debits}"
            yield Finding(FindingKind.CLEARING, f"asset {row.asset_key.hex()}", told)


def check_log(rows: Iterable[LogRow], headers: Iterable[Header]) -> Iterator[Finding]:
    """Hold every entry to its row, and the log to the root of every epoch.

    Args:
        rows: In the order of their log index.
        headers: In the order of their epoch.
    """
    edge, pending, expected = Edge(), list[bytes](), 0
    due = iter(headers)
    header = next(due, None)
    for row in rows:
        if row.log_index != expected:
            told = f"the next entry is {row.log_index}"
            yield Finding(FindingKind.ORDER, f"log_index {expected}", told)
        expected = row.log_index + 1
        yield from _wrong_entry(row)
        while header is not None and row.log_index >= header.log_size:
            edge, pending = append(edge, pending)[0], []
            yield from _wrong_root(edge, header)
            header = next(due, None)
        if header is None:
            told = "after the end of the last epoch's log"
            yield Finding(FindingKind.ORDER, f"log_index {row.log_index}", told)
            return
        pending.append(row.leaf)
        if len(pending) == _CHUNK:
            edge, pending = append(edge, pending)[0], []
    edge = append(edge, pending)[0]
    while header is not None:
        yield from _wrong_root(edge, header)
        header = next(due, None)


def _wrong_entry(row: LogRow) -> Iterator[Finding]:
    where = f"log_index {row.log_index}, id {row.id}"
    if row.is_erased:
        return
    if row.body is None:
        yield Finding(FindingKind.ENTRY, where, "its row is gone")
        return
    ref = 0 if row.corrects is None else row.corrects + 1
    if entry_leaf(row.body, ref) != row.leaf:
        yield Finding(FindingKind.ENTRY, where, "its row is not what was logged")


def _wrong_root(edge: Edge, header: Header) -> Iterator[Finding]:
    where = f"epoch {header.epoch}"
    if edge.size != header.log_size:
        told = f"the log has {edge.size} entries, the header {header.log_size}"
        yield Finding(FindingKind.ORDER, where, told)
    if edge.root() != header.log_root:
        yield Finding(FindingKind.LOG_ROOT, where, "the log does not hash to the header's root")


def check_headers(
    rows: Iterable[HeaderRow], on_chain: Callable[[int], bytes], anchored: int
) -> Iterator[Finding]:
    """Hold every header to the one before it and to the chain.

    Args:
        rows: In the order of their epoch.
        on_chain: The chain's `headerHashOf`; zero for an epoch that it does not know.
        anchored: The chain's last epoch; later headers wait for it and are no finding.
    """
    before: Header | None = None
    last = 0
    for row in rows:
        where = f"epoch {row.epoch}"
        try:
            header = Header.of(row.data)
        except ValueError as wrong:
            yield Finding(FindingKind.HEADER, where, str(wrong))
            continue
        for broken in _broken_links(row, header, before):
            yield Finding(FindingKind.HEADER, where, broken)
        anchor = on_chain(row.epoch) if row.epoch <= anchored else header.hash()
        if anchor == ZERO_HASH:
            yield Finding(FindingKind.CHAIN, where, "the chain does not know it")
        elif anchor != header.hash():
            told = f"the chain has {anchor.hex()}: this epoch was rewritten"
            yield Finding(FindingKind.CHAIN, where, told)
        before, last = header, row.epoch
    if last < anchored:
        told = f"the chain goes to epoch {anchored}: the database was rolled back"
        yield Finding(FindingKind.CHAIN, f"epoch {last}", told)


def _broken_links(row: HeaderRow, header: Header, before: Header | None) -> Iterator[str]:
    mg_credits, mg_debits, points_credits, points_debits = header.sums
    if header.hash() != row.hash or header.epoch != row.epoch:
        yield "stored with another hash or epoch"
    if mg_debits > mg_credits or points_debits > points_credits:
        yield "owners hold less than nothing"
    if before is None:
        return
    if header.previous != before.hash() or header.epoch != before.epoch + 1:
        yield "does not follow the header before it"
    if header.origin_tag != before.origin_tag:
        yield "of another origin than the header before it"
    if header.log_size < before.log_size or header.closed_at <= before.closed_at:
        yield "the log or the clock went back"
    if any(now < then for now, then in zip(header.sums, before.sums, strict=True)):
        yield "counters went back"


def check_supply(rows: Iterable[SupplyRow], header: Header) -> Iterator[Finding]:
    """Hold the owners' totals to the system accounts': together they are zero (R34)."""
    listed = list(rows)
    nets = supply_nets(listed)
    for unit, name in ((1, "reductions"), (2, "points")):
        credited, debited = header.sums[2 * unit - 2 : 2 * unit]
        if credited - debited != -nets.get(unit, 0):
            told = f"owners hold {credited - debited}, system accounts {nets.get(unit, 0)}"
            yield Finding(FindingKind.SUPPLY, name, told)
    for row in listed:
        if row.system not in SYSTEM_ACCOUNTS:
            yield Finding(FindingKind.SUPPLY, row.system, "no such system account")


def check_live(rows: Iterable[LiveRow]) -> Iterator[Finding]:
    """Hold every live balance to the anchored one and what is not yet sequenced."""
    for row in rows:
        if row.live != row.anchored + row.unsequenced:
            told = f"live {row.live}, anchored {row.anchored}, unsequenced {row.unsequenced}"
            yield Finding(FindingKind.LIVE, f"{row.owner}, unit {row.unit}", told)
