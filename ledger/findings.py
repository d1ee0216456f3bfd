"""What an audit finds, and the rows that it reads: plain values, whatever keeps them."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from ledger.encoding import NO_SUMS, ZERO_HASH, Sums
from ledger.folding import Part


class FindingKind(StrEnum):
    """What is wrong; each names the narrowest place that the rows allow."""

    LAW = "law"
    """A transfer that the laws or the chart of accounts forbid."""
    BALANCE = "balance"
    """A stored balance that is not the replay of its transfers."""
    CLEARING = "clearing"
    """An asset of which clearing still holds something."""
    ENTRY = "entry"
    """A row whose bytes are not the ones in the log, or a place in the log without row."""
    ORDER = "order"
    """A gap, a repetition or a wrong end in the log."""
    LOG_ROOT = "log_root"
    """A log that does not hash to an epoch's root."""
    ACCOUNT = "account"
    """An account state that is not the fold of its entries, or lacks, or has no origin."""
    LEAF = "leaf"
    """A stored account hash that is not that of the account's state."""
    ERASURE = "erasure"
    """A frozen leaf without the note of an erasure."""
    CELL = "cell"
    """A cell row that is not made of its accounts."""
    ACCOUNT_ROOT = "account_root"
    """A map whose root, number of accounts or totals are not the header's."""
    HEADER = "header"
    """A header that does not follow the one before, or is stored with another hash."""
    CHAIN = "chain"
    """A header that is not the one on the chain."""
    SUPPLY = "supply"
    """Owners and system accounts that do not add up to zero."""
    LIVE = "live"
    """A live balance that is not the anchored one and what waits for the next epoch."""


class Finding(NamedTuple):
    """One thing that is wrong, and where."""

    kind: FindingKind
    where: str
    detail: str


class MovementRow(NamedTuple):
    """A transfer as it is stored, together with what its accounts and its asset are."""

    id: UUID
    bucket: int
    code: int
    source: int
    source_kind: int
    target: int
    target_kind: int
    asset: int
    asset_kind: int
    grade: str
    """`A` or `B` for a reduction, else empty."""
    amount: int


class BalanceRow(NamedTuple):
    """A stored balance."""

    bucket: int
    account: int
    asset: int
    credits: int
    debits: int


class LogRow(NamedTuple):
    """A place in the log, joined to the transfer or note that it was made from."""

    log_index: int
    id: UUID
    leaf: bytes
    body: bytes | None
    """`encoding.entry_body`, made from the immutable row now; None if that row is gone."""
    corrects: int | None = None
    """The log index of the entry that the row corrects."""
    is_erased: bool = False
    """Its openings were destroyed on request, so that only the hash is left."""


class FoldRow(NamedTuple):
    """An entry as its owner's history has it; read in the order of (akey, log index)."""

    akey: bytes
    log_index: int
    leaf: bytes
    part: Part
    unit: int
    amount: int


class AnchorRow(NamedTuple):
    """An account's anchored state; read in the order of akey."""

    akey: bytes
    ver: int = 0
    epoch: int = 0
    entries: int = 0
    sums: Sums = NO_SUMS
    head: bytes = ZERO_HASH
    salt: bytes | None = None
    """None once the owner was erased: the leaf is frozen and opens to nobody (R20)."""


class LeafRow(NamedTuple):
    """An account's stored hash; read in the order of akey."""

    akey: bytes
    hash: bytes


class CellRow(NamedTuple):
    """A stored cell; read in the order of its number."""

    number: int
    accounts: int
    sums: Sums
    leaf_root: bytes
    hash: bytes


class HeaderRow(NamedTuple):
    """A stored header; read in the order of its epoch."""

    epoch: int
    data: bytes
    hash: bytes


class LiveRow(NamedTuple):
    """An owner's balance in one unit, three ways, all its accounts and assets together."""

    owner: str
    unit: int
    live: int
    anchored: int
    unsequenced: int
