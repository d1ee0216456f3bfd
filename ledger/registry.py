"""What the registry on the chain is told (登记合约消息): issued, retired, void, cancelled.

The contract knows each by 32 bytes that say nothing, H(tag ‖ id), and an epoch's cancellations by
the epoch's number. Of everything that it is told it keeps one word, the *record*: SHA-256 of a tag
and of the fields in their order, big-endian and of fixed width. So a stranger checks a retirement
with one `eth_call` and a standard library, as with a header.

    issuance      batch 32 ‖ amount u64 ‖ yyyymm u32 ‖ methodologyKey 32 ‖ epoch u64
    retirement    retirement 32 ‖ batch 32 ‖ start u64 ‖ amount u64 ‖ purpose u8 ‖ beneficiary 32
                  ‖ evidence 32
    invalidation  invalidation 32 ‖ batch 32 ‖ end u64 ‖ amount u64
    cancellation  epoch u64 ‖ root 32 ‖ mg of grade A u128 ‖ mg of grade B u128
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from hashlib import sha256
from types import MappingProxyType
from typing import Any, ClassVar, Final
from uuid import UUID

from ledger.encoding import HASH_BYTES, tag

Word = bytes | int
_U8, _U32, _U64, _U128 = 1, 4, 8, 16

_BATCH = tag("issue-batch")
_RETIREMENT = tag("retirement")
_INVALIDATION = tag("invalidation")


def batch_id(batch: UUID) -> bytes:
    """Name an issue batch as the chain knows it."""
    return sha256(_BATCH + batch.bytes).digest()


def retirement_id(retirement: UUID) -> bytes:
    """Name a retirement as the chain knows it."""
    return sha256(_RETIREMENT + retirement.bytes).digest()


def invalidation_id(invalidation: UUID) -> bytes:
    """Name an invalidation as the chain knows it."""
    return sha256(_INVALIDATION + invalidation.bytes).digest()


@dataclass(frozen=True, slots=True)
class Issuance:
    """The units of one issuance, numbered from 1 (签发)."""

    kind: ClassVar = "issue"
    tag: ClassVar = tag("issuance-record")
    widths: ClassVar = (HASH_BYTES, _U64, _U32, HASH_BYTES, _U64)

    batch: UUID
    amount_kg: int
    vintage: date
    """The first day of the month of the acts."""
    methodology: bytes
    """The key of its methodology version."""
    epoch: int
    """Whose block drew the verifier's sample."""

    @property
    def subject(self) -> bytes:
        """Give what the contract knows it by."""
        return batch_id(self.batch)

    def words(self) -> tuple[Word, ...]:
        """Give the fields as the contract takes them."""
        month = self.vintage.year * 100 + self.vintage.month
        return (self.subject, self.amount_kg, month, self.methodology, self.epoch)


@dataclass(frozen=True, slots=True)
class Retirement:
    """The next units of a batch, used for ever (注销)."""

    kind: ClassVar = "retire"
    tag: ClassVar = tag("retirement-record")
    widths: ClassVar = (HASH_BYTES, HASH_BYTES, _U64, _U64, _U8, HASH_BYTES, HASH_BYTES)

    retirement: UUID
    batch: UUID
    start: int
    """The number of its first unit."""
    amount_kg: int
    purpose: int
    beneficiary_commit: bytes
    evidence: bytes
    """The commitment to the certificate's claim."""

    @property
    def subject(self) -> bytes:
        """Give what the contract knows it by."""
        return retirement_id(self.retirement)

    def words(self) -> tuple[Word, ...]:
        """Give the fields as the contract takes them."""
        units = (batch_id(self.batch), self.start, self.amount_kg)
        return (self.subject, *units, self.purpose, self.beneficiary_commit, self.evidence)


@dataclass(frozen=True, slots=True)
class Invalidation:
    """The last units of a batch, declared void (失效)."""

    kind: ClassVar = "invalidate"
    tag: ClassVar = tag("invalidation-record")
    widths: ClassVar = (HASH_BYTES, HASH_BYTES, _U64, _U64)

    invalidation: UUID
    batch: UUID
    end: int
    """The batch's last unit before."""
    amount_kg: int

    @property
    def subject(self) -> bytes:
        """Give what the contract knows it by."""
        return invalidation_id(self.invalidation)

    def words(self) -> tuple[Word, ...]:
        """Give the fields as the contract takes them."""
        return (self.subject, batch_id(self.batch), self.end, self.amount_kg)


@dataclass(frozen=True, slots=True)
class EpochCancellation:
    """The reductions voluntarily cancelled in one epoch, all together (自愿注销)."""

    kind: ClassVar = "cancel_epoch"
    tag: ClassVar = tag("cancellation-record")
    widths: ClassVar = (_U64, HASH_BYTES, _U128, _U128)
    batch: ClassVar = None

    epoch: int
    root: bytes
    """RFC 6962 over the leaves of their entries, in the log's order."""
    mg_a: int
    """Of grade A."""
    mg_b: int

    @property
    def subject(self) -> bytes:
        """Give what the contract knows it by."""
        return self.epoch.to_bytes(HASH_BYTES, "big")

    def words(self) -> tuple[Word, ...]:
        """Give the fields as the contract takes them."""
        return (self.epoch, self.root, self.mg_a, self.mg_b)


Told = Issuance | Retirement | Invalidation | EpochCancellation

KINDS: Final[Mapping[str, type[Told]]] = MappingProxyType(
    {each.kind: each for each in (Issuance, Retirement, Invalidation, EpochCancellation)}
)
_FORMS: Final[Mapping[Any, tuple[Callable[[Any], str], Callable[[str], Any]]]] = MappingProxyType(
    {
        UUID: (str, UUID),
        bytes: (bytes.hex, bytes.fromhex),
        date: (date.isoformat, date.fromisoformat),
        int: (str, int),
    }
)
"""How each type of field is written as JSON, and read back."""


def record(told: Told) -> bytes:
    """Hash what was told into the word that the contract keeps of it.

    >>> record(EpochCancellation(1, bytes(32), 5, 0)).hex()[:8]
    '9fa08748'

    Raises:
        OverflowError: A number does not fit its width.
    """
    packed = told.tag
    for word, width in zip(told.words(), told.widths, strict=True):
        packed += word if isinstance(word, bytes) else word.to_bytes(width, "big")
    assert len(packed) == HASH_BYTES + sum(told.widths), told
    return sha256(packed).digest()


def to_json(told: Told) -> dict[str, str]:
    """Write a message as its row keeps it.

    >>> to_json(EpochCancellation(1, bytes(32), 5, 0))["mg_a"]
    '5'
    """
    return {each.name: _FORMS[each.type][0](getattr(told, each.name)) for each in fields(told)}


def from_json(kind: str, written: Mapping[str, str]) -> Told:
    """Read a message back.

    >>> said = EpochCancellation(1, bytes(32), 5, 0)
    >>> from_json("cancel_epoch", to_json(said)) == said
    True
    """
    told = KINDS[kind]
    return told(**{each.name: _FORMS[each.type][1](written[each.name]) for each in fields(told)})
