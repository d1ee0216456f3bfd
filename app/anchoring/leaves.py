"""From rows to entries (从行到条目): what each claimed row says in the log.

A row is immutable and every salt is derived, so this gives the same bytes whenever it runs:
at the close, after a crash, for a receipt, and for an auditor.
"""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from app.kernel.secrets import Keys
from ledger.accounts import FIRST_OWNER_ID, SYSTEM_NAMES
from ledger.assets import day_number
from ledger.encoding import (
    CREDIT_SIDE,
    DEBIT_SIDE,
    ZERO_HASH,
    Entry,
    account_commit,
    entry_salt,
    note,
    system_commit,
)
from ledger.folding import Part

ASSET_CLASS_MASK = 7
UNIT_OF_CLASS = (0, 1, 1, 2, 3, 4)
"""Published unit by the class in an asset id: both grades of reduction, points, units, money."""


class Opening(NamedTuple):
    """What opens an owner's side of an entry."""

    akey: bytes
    secret: bytes


class Fact(NamedTuple):
    """A claimed row, transfer or note, with what is needed to hash it."""

    bucket: int
    recorded_on: date
    id: UUID
    code: int
    source: int | None
    target: int | None
    asset: int | None
    amount: int | None
    asset_key: bytes | None
    occurred_on: date
    corrects: UUID | None
    evidence: bytes | None
    owner: int | None
    akey: bytes | None
    sealed: bytes | None


_SYSTEM_COMMITS = {number: system_commit(name) for number, name in SYSTEM_NAMES.items()}


def unit_of_asset(asset: int) -> int:
    """Read the published unit from an asset id.

    >>> unit_of_asset(8 | 1), unit_of_asset(8 | 2), unit_of_asset(8 | 5)
    (1, 1, 4)
    """
    return UNIT_OF_CLASS[asset & ASSET_CLASS_MASK]


def part_of(source: int, target: int) -> Part | None:
    """Say which part the owner has in a transfer; ``None`` between two system accounts.

    >>> part_of(1, 65536), part_of(65536, 65537), part_of(10, 11)
    (<Part.TARGET: 'target'>, <Part.BOTH: 'both'>, None)
    """
    own_source, own_target = source >= FIRST_OWNER_ID, target >= FIRST_OWNER_ID
    if own_source and own_target:
        return Part.BOTH
    if own_source:
        return Part.SOURCE
    return Part.TARGET if own_target else None


def side_commit(place: int, opening: Opening | None, transfer: UUID, side: int) -> bytes:
    """Commit to one side: openly for a system account, with the owner's salt otherwise."""
    if place < FIRST_OWNER_ID:
        return _SYSTEM_COMMITS[place]
    assert opening is not None, (place, transfer)
    return account_commit(opening.akey, entry_salt(opening.secret, transfer, side))


def entry_of(fact: Fact, opening: Opening | None) -> Entry:
    """Make the entry that a row publishes.

    A note's two commitments are the salts themselves: random to everybody without the owner's
    secret, and for ever once that is destroyed (R20), yet the same whenever they are made.
    """
    day = day_number(fact.occurred_on)
    if fact.source is None or fact.target is None or fact.amount is None:
        assert opening is not None, fact.id
        commits = [entry_salt(opening.secret, fact.id, side) for side in (DEBIT_SIDE, CREDIT_SIDE)]
        return note(fact.code, day, commits[0], commits[1])
    assert fact.asset is not None, fact.id
    assert fact.asset_key is not None, fact.id
    return Entry(
        fact.code,
        fact.asset_key,
        day,
        unit_of_asset(fact.asset),
        fact.amount,
        side_commit(fact.source, opening, fact.id, DEBIT_SIDE),
        side_commit(fact.target, opening, fact.id, CREDIT_SIDE),
        fact.evidence or ZERO_HASH,
    )


def opening_of(keys: Keys, fact: Fact) -> Opening | None:
    """Open the owner's secret; ``None`` where no owner takes part, or it was erased."""
    if fact.owner is None or fact.akey is None or fact.sealed is None:
        return None
    return Opening(fact.akey, keys.open(fact.sealed, owner=fact.owner))
