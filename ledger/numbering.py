"""Numbering: which place in the log each entry of an epoch takes (R7).

An entry's bytes end with a reference to the entry that it corrects, so it can be hashed
only when that one has its number. Hence rounds: first the entries that refer to nothing or
to an already numbered entry, ordered by leaf hash; then those whose reference the last
round numbered; and so on. The order says nothing of the time of day.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from ledger.encoding import entry_leaf


class Unnumbered(NamedTuple):
    """An entry that waits for its place."""

    id: UUID
    body: bytes
    """Of `encoding.entry_body`."""
    corrects: UUID | None = None


class Numbered(NamedTuple):
    """An entry in its place."""

    log_index: int
    id: UUID
    leaf: bytes
    ref: int
    """The log index + 1 of the entry that it corrects, else 0."""


def number(entries: Iterable[Unnumbered], first: int, known: Mapping[UUID, int]) -> list[Numbered]:
    """Give consecutive places from ``first`` on.

    Args:
        entries: Those of one epoch; what they correct is among them or in ``known``.
        first: The size of the log before.
        known: The log index of each entry of earlier epochs that is referred to.
    """
    waiting: defaultdict[UUID, list[Unnumbered]] = defaultdict(list)
    ready: list[tuple[bytes, int, UUID]] = []
    missing = 0
    for entry in entries:
        if entry.corrects is None:
            ready.append((entry_leaf(entry.body), 0, entry.id))
        elif entry.corrects in known:
            ref = known[entry.corrects] + 1
            ready.append((entry_leaf(entry.body, ref), ref, entry.id))
        else:
            waiting[entry.corrects].append(entry)
            missing += 1
    placed: list[Numbered] = []
    while ready:
        ready.sort()
        after: list[tuple[bytes, int, UUID]] = []
        for leaf, ref, transfer in ready:
            at = Numbered(first + len(placed), transfer, leaf, ref)
            placed.append(at)
            for entry in waiting.pop(transfer, ()) if waiting else ():
                later = at.log_index + 1
                after.append((entry_leaf(entry.body, later), later, entry.id))
                missing -= 1
        ready = after
    assert missing == 0, f"{missing} entries correct something that is nowhere"
    return placed
