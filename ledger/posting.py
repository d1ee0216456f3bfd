"""Posting: balances × transfers → balances, or a refusal. The oracle for the SQL.

Property tests and the audit hold the set-based statements of the shell against this
function; locks, rows and round trips are the caller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.accounts import Account
from ledger.assets import Asset
from ledger.chart import check_chart
from ledger.errors import Overdrawn
from ledger.transfers import Transfer

Holding = tuple[Account, Asset]
Balances = Mapping[Holding, int]


@dataclass(frozen=True, slots=True)
class Side:
    """One account's side of a transfer, with the balance after it."""

    account: Account
    transfer: Transfer
    change: int
    balance: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What posting changes: every balance afterwards, and two sides a transfer."""

    balances: Balances
    sides: tuple[Side, ...]


def post(balances: Balances, transfers: Sequence[Transfer]) -> Posted:
    """Apply ``transfers`` in order, all of them or none.

    Args:
        balances: The current balance of every holding that ``transfers`` touch.
        transfers: In the order in which they take effect.

    Raises:
        Overdrawn: A holder would go below zero.
        NotInChart: The chart of accounts has no such movement.
        KeyError: ``balances`` lacks a holding; the caller did not load what it posts to.
    """
    after = dict(balances)
    sides: list[Side] = []
    for transfer in transfers:
        check_chart(transfer.code, transfer.source, transfer.target, transfer.asset)
        for account, change in (
            (transfer.source, -transfer.amount),
            (transfer.target, +transfer.amount),
        ):
            balance = after[account, transfer.asset] + change
            if balance < 0 and not account.is_system:
                raise Overdrawn(short_by=-balance, movement=transfer.code.name.lower())
            after[account, transfer.asset] = balance
            sides.append(Side(account, transfer, change, balance))
    assert len(sides) == 2 * len(transfers)
    assert sum(after.values()) == sum(balances.values())
    return Posted(after, tuple(sides))
