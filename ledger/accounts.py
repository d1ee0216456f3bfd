"""Accounts: who holds, and the system accounts that stand for the rest of the world.

An owner (a citizen, a merchant, an organisation …) has an even id from 65,536 up; what it
has reserved lies on its `held` account, whose id is one higher. System accounts have the
ids below 65,536, no bucket, no stored balance and no leaf: their totals are sums (R2).
The registry of system accounts is append-only, since their names enter published hashes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from types import MappingProxyType

FIRST_OWNER_ID = 65_536
BUCKETS = 1024


class AccountKind(IntEnum):
    """What an account is; the numbers are stored, so they are never reused."""

    CITIZEN = 1
    CITIZEN_HELD = 2
    MERCHANT = 3
    ORGANISATION = 4
    ORGANISATION_HELD = 5
    GATHERING = 6
    GATHERING_HELD = 7
    BUDGET = 8
    BUFFER = 9
    SYSTEM = 100


HELD_OF: Mapping[AccountKind, AccountKind] = MappingProxyType(
    {
        AccountKind.CITIZEN: AccountKind.CITIZEN_HELD,
        AccountKind.ORGANISATION: AccountKind.ORGANISATION_HELD,
        AccountKind.GATHERING: AccountKind.GATHERING_HELD,
    }
)
_HELD_KINDS = frozenset(HELD_OF.values())

SYSTEM_ACCOUNTS: Mapping[str, int] = MappingProxyType(
    {
        "issuance/reduction": 1,
        "issuance/points": 2,
        "issuance/unit": 3,
        "pool": 10,
        "issued": 11,
        "absorbed": 12,
        "cancelled": 13,
        "given": 14,
        "retired": 15,
        "invalidated": 16,
        "expired": 17,
        "redeemed": 18,
        "correction": 19,
        "bank": 20,
        "clearing": 21,
    }
)
"""Canonical name → id. Append-only."""

SYSTEM_NAMES: Mapping[int, str] = MappingProxyType(
    {number: name for name, number in SYSTEM_ACCOUNTS.items()}
)


@dataclass(frozen=True, slots=True)
class Account:
    """A place where an asset can lie."""

    id: int
    kind: AccountKind
    bucket: int | None
    """The distribution key of the owner, 0..1023; system accounts have none."""

    def __post_init__(self) -> None:
        """Hold the id, the kind and the bucket to one another."""
        if self.kind is AccountKind.SYSTEM:
            assert self.bucket is None, self
            assert self.id in SYSTEM_NAMES, self
        else:
            assert self.bucket is not None, self
            assert 0 <= self.bucket < BUCKETS, self
            assert self.id >= FIRST_OWNER_ID, self
            assert (self.id % 2 == 1) == (self.kind in _HELD_KINDS), self

    @property
    def is_system(self) -> bool:
        """Whether this account belongs to nobody, and may go below zero."""
        return self.kind is AccountKind.SYSTEM

    @property
    def owner_id(self) -> int | None:
        """The id of the owner, the same for an account and its `held` twin."""
        return None if self.is_system else self.id & ~1

    @property
    def place(self) -> str:
        """The word that the chart uses for this account.

        >>> system("pool").place, owner(AccountKind.CITIZEN, 65536).place
        ('pool', 'citizen')
        """
        return SYSTEM_NAMES[self.id] if self.is_system else self.kind.name.lower()


_SYSTEM: Mapping[str, Account] = MappingProxyType(
    {name: Account(number, AccountKind.SYSTEM, None) for name, number in SYSTEM_ACCOUNTS.items()}
)


def system(name: str) -> Account:
    """Find the system account of that canonical name.

    >>> system("clearing").id
    21

    Raises:
        KeyError: The registry has no such name.
    """
    return _SYSTEM[name]


def bucket_of(owner_id: int) -> int:
    """Give the distribution key of an owner: the top ten bits of SHA-256 of its id.

    >>> bucket_of(65536) == bucket_of(65536), 0 <= bucket_of(65538) < 1024
    (True, True)
    """
    return int.from_bytes(sha256(owner_id.to_bytes(8, "big")).digest()[:2], "big") >> 6


def owner(kind: AccountKind, owner_id: int) -> Account:
    """Make the account of an owner, in the bucket that its id implies.

    >>> owner(AccountKind.MERCHANT, 65538).kind.name
    'MERCHANT'
    """
    return Account(owner_id, kind, bucket_of(owner_id))


def held_of(account: Account) -> Account:
    """Give the account where this owner's reservations lie.

    >>> held_of(owner(AccountKind.CITIZEN, 65536)).id
    65537

    Raises:
        KeyError: This kind of owner reserves nothing.
    """
    return Account(account.id + 1, HELD_OF[account.kind], account.bucket)
