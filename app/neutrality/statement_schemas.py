"""The wire forms of statements of neutrality (碳中和声明的对外形式)."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from app.neutrality.gathering_schemas import FROZEN, GatheringId
from app.neutrality.gatherings import PREFIX
from app.neutrality.statements import NeutralityStatement


class StatementIssuedOut(BaseModel):
    """A statement that was issued (碳中和声明)."""

    model_config = FROZEN

    gathering: GatheringId
    version: int
    footprint: ReductionOut
    retired_kg: int
    given_kg: int
    digest: str = Field(description="SHA-256 of the document.")
    issued_at: datetime


class NeutralityStatusOut(BaseModel):
    """How a gathering stands, signed by the receipt key over its other fields' JSON."""

    model_config = FROZEN

    state: Literal["neutral", "reduced"]
    gathering: GatheringId
    version: int
    digest: str
    footprint_mg: str = Field(examples=["573700000"])
    covered_mg: str = Field(examples=["574000000"])
    as_of: str = Field(examples=["2026-11-22T18:00:00Z"])
    signature: str = Field(description="Ed25519, over the canonical JSON of the others; hex.")


class NeutralityOut(BaseModel):
    """A gathering's statement: how it stands now, and what was stated."""

    model_config = FROZEN

    status: NeutralityStatusOut
    statement: dict[str, Any] = Field(description="As it was issued, byte for byte when canonical.")


def statement_issued_out(of: NeutralityStatement) -> StatementIssuedOut:
    """Write what was issued."""
    return StatementIssuedOut(
        gathering=public_id(PREFIX, of.gathering),
        version=of.version,
        footprint=mass(of.footprint_mg),
        retired_kg=of.retired_kg,
        given_kg=of.given_kg,
        digest=of.digest.hex(),
        issued_at=of.issued_at,
    )
