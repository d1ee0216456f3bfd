"""Outcomes (结果): what became of each line, and of an upload; the seven sum to the lines (R15)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Outcome(StrEnum):
    """What became of one line."""

    ACCEPTED = "accepted"
    """It counts; what it adds may be nothing, and then ``reason`` says why."""
    DUPLICATE = "duplicate"
    """The same was told before, by this provider under this id."""
    MERGED = "merged"
    """Another provider's record of the same act counts."""
    REFUSED = "refused"
    """Nothing of it is stored: no consent, or outside the acceptance window."""
    INELIGIBLE = "ineligible"
    """The methodology gives it nothing."""
    CONFLICT = "conflict"
    """This id was told before with other content; the first one stands."""
    MALFORMED = "malformed"
    """It could not be read, or a value is out of its bounds."""


OUTCOMES = tuple(Outcome)
"""In the order in which counts are stored and signed."""


class ItemOutcome(NamedTuple):
    """What became of one line."""

    line: int
    external_id: str
    outcome: Outcome
    reason: str
    """Empty where there is nothing to explain."""
    reduction_mg: int
    """What this line added to its citizen's reductions [mg]."""


class UploadResult(NamedTuple):
    """What became of an upload, with its signed receipt."""

    upload: UUID
    counts: Mapping[Outcome, int]
    reduction_mg: int
    """What its lines added [mg]."""
    corrected_mg: int
    """What earlier acts lost to its better evidence of the same acts [mg]."""
    receipt: bytes
    """Canonical JSON of the statement."""
    signature: bytes
    """Ed25519 over ``receipt``."""
    opened_at: datetime
