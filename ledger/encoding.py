"""The canonical bytes: what is hashed into the log, the account map and the header.

Integers are big-endian, fixed width and unsigned; H is SHA-256. Every preimage starts with
a byte or a tag of its own kind, and every field has one width, so no two meanings share
bytes. This is v1 and it is frozen: a change is a v2 with its own tags, never an edit.

    00  leaf: journal entry, account leaf, header in the anchor log (RFC 6962)
    01  inner node L ‖ R (RFC 6962)
    02  sum node        03  cell        04  fold of an account's history

An encoder raises OverflowError for a negative or too large integer and asserts widths of
byte fields, since either would be a defect of the caller.
"""

import hmac
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

ZERO_HASH: Final = bytes(32)
HASH_BYTES: Final = 32
DEBIT_SIDE: Final = 0
CREDIT_SIDE: Final = 1

SUMS: Final = 4
"""Counters of a leaf: reduction credits and debits [mg], points credits and debits."""

Sums = tuple[int, int, int, int]
NO_SUMS: Final[Sums] = (0, 0, 0, 0)


def tag(name: str) -> bytes:
    """Hash the name of a kind of preimage, so that no two kinds share bytes.

    >>> tag("header").hex()[:2]
    'a2'
    """
    return sha256(b"carbon-anchor/v1/" + name.encode()).digest()


_ENTRY = b"\x00" + tag("journal-entry")
_LEAF = b"\x00" + tag("account-leaf")
_CELL = b"\x03" + tag("bucket")  # the published word; everywhere else it is a cell
_ENTRY_ACCOUNT = tag("entry-account")
_SYSTEM_ACCOUNT = tag("system-account")
_EVIDENCE = tag("evidence")

_ENTRY_FIELDS = struct.Struct(">33sB32sIBQ32s32s32s")
_LEAF_FIELDS = struct.Struct(">33s32sIQQQQQQ32s32s")


def _hash32(*fields: bytes) -> None:
    assert all(len(field) == HASH_BYTES for field in fields), [len(field) for field in fields]


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer, or one note, as the log publishes it; `ref` comes with its number."""

    code: int
    asset_key: bytes
    day: int
    """Of the act, since 1970-01-01."""
    unit: int
    amount: int
    debit_commit: bytes
    credit_commit: bytes
    evidence_commit: bytes = ZERO_HASH


def entry_body(entry: Entry) -> bytes:
    """Write an entry without its last field, the reference [175 B].

    Raises:
        OverflowError: A number does not fit its width.
    """
    assert len(entry.asset_key) == len(entry.evidence_commit) == HASH_BYTES, entry
    assert len(entry.debit_commit) == len(entry.credit_commit) == HASH_BYTES, entry
    try:
        return _ENTRY_FIELDS.pack(
            _ENTRY,
            entry.code,
            entry.asset_key,
            entry.day,
            entry.unit,
            entry.amount,
            entry.debit_commit,
            entry.credit_commit,
            entry.evidence_commit,
        )
    except struct.error as wrong:
        raise OverflowError(str(wrong)) from wrong


def entry_leaf(body: bytes, ref: int = 0) -> bytes:
    """Hash an entry; ``ref`` is the log index + 1 of the entry it corrects, else 0.

    Raises:
        OverflowError: The reference is negative or too large.
    """
    return sha256(body + ref.to_bytes(8, "big")).digest()


def note(code: int, day: int, commit: bytes, other: bytes) -> Entry:
    """Make an entry that moves nothing: asset key, unit and amount are zero (R20).

    The two commitments are random, so that nobody can say whom the note is about.

    >>> note(200, 0, bytes([1]) * 32, bytes([2]) * 32).amount
    0
    """
    return Entry(code, ZERO_HASH, day, 0, 0, commit, other)


def system_akey(name: str) -> bytes:
    """Give the public key of a system account, from its canonical name.

    >>> system_akey("pool") != system_akey("issued")
    True
    """
    return sha256(_SYSTEM_ACCOUNT + name.encode()).digest()


def account_commit(akey: bytes, salt: bytes) -> bytes:
    """Commit to one side of an entry; the salt is fresh for each entry and side."""
    _hash32(akey, salt)
    return sha256(_ENTRY_ACCOUNT + akey + salt).digest()


def system_commit(name: str) -> bytes:
    """Commit to a system account, openly: its salt is 32 zero bytes.

    >>> system_commit("pool") == account_commit(system_akey("pool"), bytes(32))
    True
    """
    return account_commit(system_akey(name), ZERO_HASH)


def entry_salt(secret: bytes, transfer: UUID, side: int) -> bytes:
    """Derive the salt of one side of a transfer from the owner's secret K_a."""
    return hmac.digest(secret, b"entry" + transfer.bytes + bytes([side]), "sha256")


def leaf_salt(secret: bytes, ver: int) -> bytes:
    """Derive the salt of one version of an account leaf from the owner's secret K_a."""
    return hmac.digest(secret, b"leaf" + ver.to_bytes(4, "big"), "sha256")


def evidence_salt(provider_secret: bytes, external_hash: bytes) -> bytes:
    """Derive the salt that provider and platform share for one record (R7)."""
    return hmac.digest(provider_secret, b"evidence" + external_hash, "sha256")


def evidence_commit(salt: bytes, record: bytes) -> bytes:
    """Commit to a provider's record, which its holder can open at any time."""
    return evidence_commit_of(salt, sha256(record).digest())


def evidence_commit_of(salt: bytes, record_sha256: bytes) -> bytes:
    """Make that commitment from the record's hash alone: for whoever may not see the record.

    >>> evidence_commit_of(bytes(32), sha256(b"r").digest()) == evidence_commit(bytes(32), b"r")
    True
    """
    _hash32(salt, record_sha256)
    return sha256(_EVIDENCE + salt + record_sha256).digest()


@dataclass(frozen=True, slots=True)
class AccountState:
    """What an owner's leaf commits to: its counters and its whole ordered history."""

    akey: bytes
    ver: int = 0
    """+ 1 in every epoch in which the account changed."""
    epoch: int = 0
    """The epoch of that change."""
    entries: int = 0
    sums: Sums = NO_SUMS
    head: bytes = ZERO_HASH


def account_leaf(state: AccountState, salt: bytes) -> bytes:
    """Hash an account's state: the account hash (账户哈希).

    Raises:
        OverflowError: A number does not fit its width.
    """
    assert len(state.akey) == len(state.head) == len(salt) == HASH_BYTES, state
    try:
        packed = _LEAF_FIELDS.pack(
            _LEAF,
            state.akey,
            state.ver,
            state.epoch,
            state.entries,
            *state.sums,
            state.head,
            salt,
        )
    except struct.error as wrong:
        raise OverflowError(str(wrong)) from wrong
    return sha256(packed).digest()


def fold_head(head: bytes, leaf: bytes) -> bytes:
    """Extend an account's history by one entry."""
    _hash32(head, leaf)
    return sha256(b"\x04" + head + leaf).digest()


def sums_bytes(sums: Sums) -> bytes:
    """Write four sums as u128 each [64 B].

    >>> len(sums_bytes((1, 2, 3, 4)))
    64

    Raises:
        OverflowError: A sum is negative or too large.
    """
    return b"".join(value.to_bytes(16, "big") for value in sums)


def sums_of(packed: bytes) -> Sums:
    """Read four sums of u128 each.

    >>> sums_of(sums_bytes((1, 2, 3, 4)))
    (1, 2, 3, 4)
    """
    mg_credits, mg_debits, points_credits, points_debits = (
        int.from_bytes(packed[at : at + 16], "big") for at in range(0, 64, 16)
    )
    return mg_credits, mg_debits, points_credits, points_debits


def cell_hash(index: int, count: int, sums: Sums, leaf_root: bytes) -> bytes:
    """Hash one cell of the account map.

    Raises:
        OverflowError: A number does not fit its width.
    """
    _hash32(leaf_root)
    place = index.to_bytes(4, "big") + count.to_bytes(4, "big")
    return sha256(_CELL + place + sums_bytes(sums) + leaf_root).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes of an RFC 6962 tree into their parent."""
    return sha256(b"\x01" + left + right).digest()
