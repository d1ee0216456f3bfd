"""The wire form of a batch (批次的对外形式): what a provider is answered, with examples."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from app.activities.outcomes import Outcome
from app.kernel.quantities import ReductionOut

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)


class OutcomeOut(BaseModel):
    """What became of one line."""

    model_config = _FROZEN

    line: int = Field(examples=[1])
    outcome: Outcome
    reason: str = Field(examples=["", "consent.none"])
    co2e_mg: int = Field(examples=[482040])
    external_id: str | None = Field(
        default=None,
        description="In the answer to the upload alone: the provider's own id is not kept.",
        examples=["ride-20260601-0001"],
    )


class ReceiptOut(BaseModel):
    """The platform's signature over what it took in."""

    model_config = _FROZEN

    statement: str = Field(description="Canonical JSON; these very characters are signed.")
    signature: str = Field(description="Ed25519 over the statement, base64.")
    public_key: str = Field(description="Ed25519 public key, base64; also at `tanpu keys`.")


class BatchOut(BaseModel):
    """An upload with one outcome a line."""

    model_config = _FROZEN

    id: str = Field(examples=["bat_01k0000000000000000000000a"])
    provider: str = Field(examples=["sz-metro"])
    methodology: str = Field(examples=["TP-TRIP"])
    received_at: datetime
    lines: int = Field(examples=[2])
    counts: dict[Outcome, int]
    reduction: ReductionOut
    corrected: ReductionOut = Field(description="What earlier acts lost to better evidence.")
    outcomes: list[OutcomeOut]
    receipt: ReceiptOut | None = Field(description="Absent while the upload is being taken in.")


def complete(counts: Mapping[Outcome, int]) -> dict[Outcome, int]:
    """Name every outcome, also those that did not happen.

    >>> sum(complete({Outcome.ACCEPTED: 2}).values()), len(complete({}))
    (2, 7)
    """
    return {outcome: counts.get(outcome, 0) for outcome in Outcome}
