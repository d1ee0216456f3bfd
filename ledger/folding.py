"""Folding: an owner's anchored state × one entry → its next state (R34).

The head commits to the whole ordered history. The four counters count transfers between
the owner and a system account, `clearing` included; a transfer between the owner and its
own `held` goes into the head once and changes no counter, so that the leaf's balance is
available + held. Units and money go into the head and no counter.
"""

from dataclasses import replace
from enum import Enum

from ledger.assets import AssetKind
from ledger.encoding import AccountState, Sums, fold_head


class Part(Enum):
    """Which part an owner has in an entry."""

    SOURCE = "source"
    TARGET = "target"
    BOTH = "both"


def counted(sums: Sums, part: Part, unit: int, amount: int) -> Sums:
    """Add one transfer to the counters.

    >>> counted((0, 0, 0, 0), Part.TARGET, 1, 5), counted((5, 0, 0, 0), Part.BOTH, 1, 5)
    ((5, 0, 0, 0), (5, 0, 0, 0))
    """
    if part is Part.BOTH or unit not in (AssetKind.REDUCTION, AssetKind.POINTS):
        return sums
    counters = list(sums)
    counters[2 * (unit - 1) + (part is Part.SOURCE)] += amount
    mg_credits, mg_debits, points_credits, points_debits = counters
    return mg_credits, mg_debits, points_credits, points_debits


def fold(state: AccountState, leaf: bytes, part: Part, unit: int, amount: int) -> AccountState:
    """Extend an owner's state by the entry that hashes to ``leaf``."""
    return replace(
        state,
        entries=state.entries + 1,
        sums=counted(state.sums, part, unit, amount),
        head=fold_head(state.head, leaf),
    )


def close(state: AccountState, epoch: int) -> AccountState:
    """Fix the state of an owner that changed in ``epoch``: one version more."""
    assert epoch > state.epoch, (epoch, state.epoch)
    return replace(state, ver=state.ver + 1, epoch=epoch)
