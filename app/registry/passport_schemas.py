"""The wire forms of purpose passports (用途护照的对外形式)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, Str, Written
from app.registry.passport_rules import UnitSort
from ledger.certificate import Purpose
from methodologies import Field as LifeField

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Month = Annotated[
    str,
    StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$"),
    Field(examples=["2026-01"], description="YYYY-MM, inclusive."),
]
Year = Annotated[Int, Field(ge=2020, le=2100, examples=[2026])]


def _whole(given: object) -> object:
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError("a purpose is a whole number")  # noqa: TRY004 -- what pydantic collects
    return given


Settable = Annotated[
    Literal[
        Purpose.PUBLIC_BENEFIT,
        Purpose.GATHERING,
        Purpose.VOLUNTARY_OFFSET,
        Purpose.ETS_SURRENDER,
        Purpose.ECOLOGICAL_DAMAGE,
    ],
    BeforeValidator(_whole),
]
"""What a holder may retire for."""
Name = Annotated[Str, StringConstraints(min_length=1, max_length=100)]


class UnitSortIn(BaseModel):
    """A sort of units: those that agree with everything named here; `{}` is every unit."""

    model_config = FROZEN

    field: LifeField | None = None
    methodology: Name | None = Field(default=None, examples=["SZ-METRO-2024"])
    scenario: Name | None = Field(default=None, examples=["metro"])
    kind: Literal["project", "scenario"] | None = None
    vintage_from: Month | None = None
    vintage_to: Month | None = None

    def sort(self) -> UnitSort:
        """Give it as the rules have it."""
        named = (self.field and self.field.value, self.methodology, self.scenario, self.kind)
        return UnitSort(*named, _first(self.vintage_from), _first(self.vintage_to))


class PassportIn(BaseModel):
    """What may serve a purpose from a year on; an empty list closes it."""

    model_config = FROZEN

    purpose: Settable = Field(description="1, 2, 3, 6 or 7. 用途")
    year: Year
    units: Annotated[list[UnitSortIn], Field(max_length=100)]
    reason: Written


class SurrenderRatioIn(BaseModel):
    """How much of a compliance year's obligation units may meet; it has no default."""

    model_config = FROZEN

    year: Year
    ratio_permille: Int = Field(ge=0, le=1000, examples=[50], description="抵销比例, ‰")
    reason: Written


class SurrenderObligationIn(BaseModel):
    """What an organisation has to surrender for a compliance year."""

    model_config = FROZEN

    year: Year
    organisation: Annotated[Str, StringConstraints(max_length=40)] = Field(
        examples=["org_01k0000000000000000000000a"]
    )
    obligation_kg: Int = Field(ge=0, le=10**15, description="应清缴量")
    reason: Written


class UnitSortOut(BaseModel):
    """A sort of units; what is null says nothing."""

    model_config = FROZEN

    field: str | None
    methodology: str | None
    scenario: str | None
    kind: str | None
    vintage_from: str | None = Field(examples=["2026-01"])
    vintage_to: str | None


class PassportOut(BaseModel):
    """What may serve a purpose: any of these sorts."""

    model_config = FROZEN

    purpose: Purpose
    set_for: int | None = Field(description="The year it was set for; null: nobody set one.")
    units: Sequence[UnitSortOut]


class PassportsOut(BaseModel):
    """Which units may serve which purpose in a year."""

    model_config = FROZEN

    year: int
    surrender_ratio_permille: int | None = Field(description="Null until the operator enters it.")
    data: Sequence[PassportOut]


def sort_out(sort: UnitSort) -> UnitSortOut:
    """Write a sort as people read it."""
    told = sort._asdict()
    for name in ("vintage_from", "vintage_to"):
        told[name] = told[name] and f"{told[name]:%Y-%m}"
    return UnitSortOut(**told)


def _first(month: str | None) -> date | None:
    return None if month is None else date.fromisoformat(f"{month}-01")
