"""Transfers: the one movement there is.

A transfer moves a positive whole amount of one asset from one account to another, so the
books balance by construction. At most one owner takes part: a movement between two owners
is two transfers with one cause, through `clearing` (the co-location law, R2).
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.accounts import Account
from ledger.assets import Asset
from ledger.chart import Code, is_note

_UUID_VERSION = 7
_COMMITMENT_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Moves ``amount`` of ``asset`` from ``source`` to ``target``."""

    id: UUID
    """UUIDv7, made by the caller: a conflict of ids is a defect (R3)."""
    source: Account
    """Debited."""
    target: Account
    """Credited."""
    asset: Asset
    amount: int
    """In the asset's smallest unit; always positive, the direction is in the accounts."""
    code: Code
    cause: UUID
    """The act, order or claim that made it happen."""
    occurred_on: date
    """The day of the act in Asia/Shanghai; never its time (R17)."""
    recorded_on: date
    corrects: UUID | None = None
    corrects_on: date | None = None
    """`recorded_on` of the transfer that this one corrects."""
    evidence: bytes | None = None
    """A commitment of 32 bytes to the provider's record."""

    def __post_init__(self) -> None:
        """Refuse what could never be a transfer: these are bugs, not user errors."""
        assert self.id.version == _UUID_VERSION, self
        assert self.amount > 0, self
        assert self.source != self.target, self
        assert not is_note(self.code), self
        assert (self.corrects is None) == (self.corrects_on is None), self
        assert self.evidence is None or len(self.evidence) == _COMMITMENT_BYTES, self
        owners = {self.source.owner_id, self.target.owner_id} - {None}
        assert len(owners) <= 1, self

    @property
    def bucket(self) -> int | None:
        """The bucket of its one owner; none between two system accounts."""
        return self.target.bucket if self.source.bucket is None else self.source.bucket

    @property
    def is_internal(self) -> bool:
        """Whether it only moves between an owner's own accounts."""
        return self.source.owner_id is not None and self.source.owner_id == self.target.owner_id
