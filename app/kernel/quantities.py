"""Amounts on the wire (对外的量): a number for machines, and beside it the words for people."""

from pydantic import BaseModel, ConfigDict, Field

from ledger.assets import MG_PER_KG


class ReductionOut(BaseModel):
    """A mass of CO2e, for machines and for people."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    co2e_mg: int = Field(examples=[482040])
    co2e: str = Field(examples=["0.482040 kg"])


def mass(mg: int) -> ReductionOut:
    """Write a mass as machines and as people read it.

    >>> mass(482_040).co2e, mass(-1).co2e
    ('0.482040 kg', '-0.000001 kg')
    """
    whole, part = divmod(abs(mg), MG_PER_KG)
    return ReductionOut(co2e_mg=mg, co2e=f"{'-' if mg < 0 else ''}{whole}.{part:06d} kg")


def whole_kg(mg: int) -> ReductionOut:
    """Write a mass that may be one person's, for anybody: in whole kilograms, rounded down.

    >>> whole_kg(2_999_999).co2e, whole_kg(999_999).co2e_mg
    ('2.000000 kg', 0)
    """
    return mass(mg // MG_PER_KG * MG_PER_KG)
