"""A receipt's promise (回执承诺): each line that counted is in an anchored epoch, in time.

The maximum merge delay of certificate transparency: whoever takes something in says by when it
will be in the log. A sender who keeps its records and the answer to its upload can hold the
operator to that with the public list of headers alone: its own commitment to each record stands
in the entry, the entry is in the log, and the header that covers it was closed by then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from ledger.chart import Code
from ledger.encoding import Entry, entry_body, entry_leaf
from ledger.header import Header
from ledger.log import check_inclusion


class Promised(NamedTuple):
    """A line that the receipt says counted."""

    line: int
    mg: int
    evidence: bytes
    """The sender's commitment to its own record."""


class Shown(NamedTuple):
    """An entry that the operator shows, with its place."""

    entry: Entry
    ref: int
    log_index: int
    epoch: int
    path: Sequence[bytes]


class Fault(StrEnum):
    """Why a line is not proved."""

    MISSING = "missing"
    """No entry commits to this record."""
    UNANCHORED = "unanchored"
    """The entry's epoch is not among the anchored headers."""
    LATE = "late"
    """Its epoch was closed after the promised time."""
    NOT_IN_LOG = "not_in_log"
    """The path does not lead to the header's root."""
    AMOUNT = "amount"
    """The entry is no accrual of what the receipt says."""


class Broken(NamedTuple):
    """One line that is not proved."""

    line: int
    fault: Fault


def check_promise(
    promised: Iterable[Promised],
    shown: Iterable[Shown],
    headers: Mapping[int, Header],
    *,
    logged_by: int,
) -> Iterator[Broken]:
    """Yield the promised lines that ``shown`` does not prove; ``logged_by`` in seconds since 1970.

    ``headers`` are anchored: who calls has checked them against the chain, or keeps a mirror.
    """
    by_evidence: dict[bytes, Shown] = {each.entry.evidence_commit: each for each in shown}
    for line in promised:
        found = by_evidence.pop(line.evidence, None)
        fault = Fault.MISSING if found is None else _fault(line, found, headers, logged_by)
        if fault is not None:
            yield Broken(line.line, fault)


def _fault(
    line: Promised, shown: Shown, headers: Mapping[int, Header], logged_by: int
) -> Fault | None:
    header = headers.get(shown.epoch)
    if header is None:
        return Fault.UNANCHORED
    leaf = entry_leaf(entry_body(shown.entry), shown.ref)
    if not check_inclusion(leaf, shown.log_index, header.log_size, shown.path, header.log_root):
        return Fault.NOT_IN_LOG
    if (shown.entry.code, shown.entry.amount) != (Code.ACCRUE, line.mg):
        return Fault.AMOUNT
    return Fault.LATE if header.closed_at > logged_by else None
