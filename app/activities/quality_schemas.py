"""The wire forms of a provider's own view (提供方自查的对外形式): its uploads and its scorecard."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from app.activities.correction_batches import CorrectionOutcome
from app.activities.outcomes import Outcome
from app.activities.schemas import complete
from app.activities.scorecard import Scorecard
from app.activities.sent import Sent
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
_PLACES: Final = Decimal("0.0001")
_CORRECTED: Final = (CorrectionOutcome.CORRECTED, CorrectionOutcome.WITHDRAWN)


class SentBatchOut(BaseModel):
    """One upload, without its lines."""

    model_config = _FROZEN

    id: str = Field(examples=["bat_01k0000000000000000000000a"])
    methodology: str = Field(examples=["TP-TRIP"])
    received_at: datetime
    lines: int
    counts: dict[Outcome, int]
    reduction: ReductionOut
    corrected: ReductionOut = Field(description="What earlier acts lost to better evidence.")
    has_receipt: bool = Field(description="False while the upload is being taken in.")
    corrections: int = Field(description="How many requests corrected acts of it.")


class SentBatchPage(BaseModel):
    """Some uploads, the newest first."""

    model_config = _FROZEN

    data: Sequence[SentBatchOut]
    next_cursor: str | None


class ShareOut(BaseModel):
    """How many lines, and which part of those received."""

    model_config = _FROZEN

    lines: int = Field(examples=[3])
    share: str = Field(description="Of the lines received.", examples=["0.0123"])


class ScorecardOut(BaseModel):
    """A month of one provider's data."""

    model_config = _FROZEN

    month: str = Field(examples=["2026-06"])
    uploads: int
    received: int = Field(description="Lines of the month's uploads.")
    outcomes: dict[Outcome, ShareOut]
    late: ShareOut = Field(description="New, and told after the merge deadline of their day.")
    corrected: ShareOut = Field(description="Corrected or withdrawn in this month.")
    appealed: ShareOut = Field(description="Acts that an upheld appeal had corrected.")


def sent_out(each: Sent) -> SentBatchOut:
    """Write one upload of a list."""
    return SentBatchOut(
        id=public_id("bat", each.id),
        methodology=each.methodology,
        received_at=each.opened_at,
        lines=sum(each.counts.values()),
        counts=complete(each.counts),
        reduction=mass(each.reduction_mg),
        corrected=mass(each.corrected_mg),
        has_receipt=each.has_receipt,
        corrections=each.corrections,
    )


def scorecard_out(card: Scorecard) -> ScorecardOut:
    """Write a scorecard."""

    def part(lines: int) -> ShareOut:
        whole = Decimal(lines) / card.received if card.received else Decimal(0)
        return ShareOut(lines=lines, share=str(whole.quantize(_PLACES)))

    return ScorecardOut(
        month=f"{card.month:%Y-%m}",
        uploads=card.uploads,
        received=card.received,
        outcomes={outcome: part(lines) for outcome, lines in card.lines.items()},
        late=part(card.late),
        corrected=part(sum(card.corrections[outcome] for outcome in _CORRECTED)),
        appealed=part(card.appealed),
    )
