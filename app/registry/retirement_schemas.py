"""The wire forms of retirements (注销使用的对外形式)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.books import ClaimText
from app.kernel.http import Int, Str, Written
from app.registry.passport_schemas import Settable
from app.registry.retirements import Registration, Retirement, RetirementState
from ledger.certificate import Purpose

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
KG_MAX: Final = 10**10
Text = Literal["holder", "beneficiary", "message"]
Shown = Annotated[
    list[Text],
    Field(
        max_length=3,
        description="What anybody may read of it, until it is withdrawn; the rest stays a "
        "commitment. 公开项",
    ),
]


class RetirementIn(BaseModel):
    """Units to use for ever; which ones is decided when it is taken."""

    model_config = FROZEN

    batch: Annotated[Str, StringConstraints(max_length=40)] = Field(
        examples=["ibt_01k0000000000000000000000a"], description="签发批次"
    )
    quantity_kg: Int = Field(ge=1, le=KG_MAX, examples=[1_000], description="Units, kg. 数量")
    purpose: Settable = Field(description="1, 2, 3, 6 or 7. 用途")
    period: Annotated[Str, StringConstraints(min_length=4, max_length=21)] | None = Field(
        default=None, examples=["2026"], description="What time it makes up for. 对应期间"
    )
    beneficiary: Annotated[Written, StringConstraints(max_length=200)] | None = Field(
        default=None, description="If not your organisation itself. 受益方"
    )
    message: Annotated[Written, StringConstraints(max_length=500)] | None = None
    shows: Shown = []


class RegistrationOut(BaseModel):
    """Where the registry on the chain has it (链上登记)."""

    model_config = FROZEN

    subject: str = Field(description="The name that the contract knows it by.")
    chain_id: int
    contract: str
    block_number: int
    tx_hash: str


class RetirementTextOut(BaseModel):
    """A name or words that were not withdrawn."""

    model_config = FROZEN

    words: str
    is_public: bool


class PublicRetirementOut(BaseModel):
    """A retirement that has its serials, as anybody may see it (注销公示)."""

    model_config = FROZEN

    id: str = Field(examples=["ret_01k0000000000000000000000a"])
    state: RetirementState
    batch: str = Field(examples=["ibt_01k0000000000000000000000a"])
    quantity_kg: int
    serial: str | None = Field(description="序列号")
    purpose: Purpose
    period: str | None
    pseudonym: str = Field(
        description="Of the beneficiary; its certificate shows a name where one may be shown. 化名",
        examples=["3f9a12bc"],
    )
    taken_on: date | None
    registration: RegistrationOut | None = Field(description="None: the chain has not got it yet.")


class RetirementOut(PublicRetirementOut):
    """A retirement of one's own (本机构注销)."""

    holder: RetirementTextOut | None
    beneficiary: RetirementTextOut | None
    message: RetirementTextOut | None
    requested_at: datetime
    due_at: datetime = Field(description="It may be reverted until it is taken. 执行时间")
    reverted_at: datetime | None
    taken_at: datetime | None
    final_at: datetime | None


class RetirementPage(BaseModel):
    """A page of one's own, the newest first."""

    model_config = FROZEN

    data: Sequence[RetirementOut]
    next_cursor: str | None


class PublicRetirementPage(BaseModel):
    """A page of everybody's, the newest first."""

    model_config = FROZEN

    data: Sequence[PublicRetirementOut]
    next_cursor: str | None


def shown_public(found: Retirement, places: Mapping[UUID, Registration]) -> PublicRetirementOut:
    """Show one to anybody: no text of it, only that there is one."""
    place = places.get(found.id)
    return PublicRetirementOut(
        id=found.public,
        state=found.state,
        batch=found.batch_public,
        quantity_kg=found.quantity_kg,
        serial=found.serial,
        purpose=found.purpose,
        period=found.period,
        pseudonym=found.beneficiary_commit.hex()[:8],
        taken_on=found.taken_on,
        registration=None if place is None else RegistrationOut(**place.written()),
    )


def shown_own(
    found: Retirement,
    texts: Mapping[str, ClaimText],
    places: Mapping[UUID, Registration],
) -> RetirementOut:
    """Show one to its holder."""
    opened = {
        name: RetirementTextOut(words=text.words, is_public=text.is_public)
        for name, text in texts.items()
        if text.words
    }
    return RetirementOut(
        **dict(shown_public(found, places)),
        holder=opened.get("holder"),
        beneficiary=opened.get("beneficiary"),
        message=opened.get("message"),
        requested_at=found.requested_at,
        due_at=found.due_at,
        reverted_at=found.reverted_at,
        taken_at=found.taken_at,
        final_at=found.final_at,
    )
