"""The wire form of corrections (更正的对外形式): what a provider is answered, with examples."""

from base64 import b64encode
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field

from app.activities.correction_batches import CorrectionOutcome, Received
from app.activities.schemas import ReceiptOut
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)


class CorrectionLineOut(BaseModel):
    """What became of one line."""

    model_config = _FROZEN

    line: int = Field(examples=[1])
    external_id: str = Field(examples=["ride-20260601-0001"])
    outcome: CorrectionOutcome
    reason: str = Field(examples=["", "correction.deadline_passed"])
    co2e_mg: int = Field(description="What its act's reduction changed by.", examples=[-120000])


class CorrectionsOut(BaseModel):
    """A request of corrections with one outcome a line, and a signed receipt."""

    model_config = _FROZEN

    id: str = Field(examples=["cor_01k0000000000000000000000a"])
    batch: str = Field(examples=["bat_01k0000000000000000000000a"])
    received_at: datetime
    lines: int = Field(examples=[1])
    counts: dict[CorrectionOutcome, int]
    change: ReductionOut = Field(
        description="Of the corrected acts; not of others that now stand in for them."
    )
    outcomes: list[CorrectionLineOut]
    receipt: ReceiptOut


def corrections_out(made: Received, key: Ed25519PublicKey) -> CorrectionsOut:
    """Write what a request came to."""
    return CorrectionsOut(
        id=public_id("cor", made.id),
        batch=public_id("bat", made.upload),
        received_at=made.at,
        lines=len(made.outcomes),
        counts=dict(zip(CorrectionOutcome, made.counts, strict=True)),
        change=mass(made.change_mg),
        outcomes=[
            CorrectionLineOut(
                line=each.line,
                external_id=each.external_id,
                outcome=each.outcome,
                reason=each.reason,
                co2e_mg=each.change_mg,
            )
            for each in made.outcomes
        ],
        receipt=ReceiptOut(
            statement=made.statement.decode(),
            signature=b64encode(made.signature).decode(),
            public_key=b64encode(key.public_bytes_raw()).decode(),
        ),
    )
