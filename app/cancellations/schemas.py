"""The wire forms of voluntary cancellations (自愿注销的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.cancellations.errors import AmountUnclear
from app.cancellations.queries import Cancellation, Reversion, State
from app.cancellations.rules import CLASSES_MAX
from app.kernel.http import Int, Str, Written
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from app.points.errors import ClassTwice
from app.points.schemas import MG_MAX, ClassId, ClassOut
from ledger.assets import asset_key
from ledger.certificate import Purpose

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
PurposeWord = Literal["public_benefit", "voluntary_offset"]
PURPOSES: Final[dict[PurposeWord, Purpose]] = {
    "public_benefit": Purpose.PUBLIC_BENEFIT,
    "voluntary_offset": Purpose.VOLUNTARY_OFFSET,
}
WORDS: Final[dict[Purpose, PurposeWord]] = {purpose: word for word, purpose in PURPOSES.items()}
PERIOD: Final = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?(/[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?)?$"
Period = Annotated[
    Str,
    StringConstraints(pattern=PERIOD),
    Field(examples=["2026", "2026-01/2026-06"], description="What time it makes up for. 对应期间"),
]


class CancelledClassIn(BaseModel):
    """A class to cancel of, and how much."""

    model_config = FROZEN

    class_id: ClassId
    co2e_mg: Int | None = Field(
        default=None, ge=1, le=MG_MAX, description="All that is held where it is left out."
    )


class ShownNameIn(BaseModel):
    """In whose name it is cancelled."""

    model_config = FROZEN

    words: Annotated[Written, StringConstraints(max_length=100)] = Field(examples=["南山小学"])
    is_public: bool = Field(
        default=False,
        description="Show it to anybody, until it is withdrawn; else a pseudonym. 是否公开",
    )


class ShownMessageIn(BaseModel):
    """Words that go with it."""

    model_config = FROZEN

    words: Annotated[Written, StringConstraints(max_length=300)] = Field(examples=["愿山河常绿"])
    is_public: bool = Field(default=False, description="Show it to anybody. 是否公开")


class VoluntaryCancellationIn(BaseModel):
    """What to cancel: so much of the oldest months first, or named classes."""

    model_config = FROZEN

    co2e_mg: Int | None = Field(default=None, ge=1, le=MG_MAX, description="数量，先旧后新")
    classes: list[CancelledClassIn] | None = Field(
        default=None, min_length=1, max_length=CLASSES_MAX
    )
    purpose: PurposeWord = Field(default="public_benefit", description="用途")
    period: Period | None = None
    beneficiary: ShownNameIn | None = Field(
        default=None, description="Oneself or somebody else. 受益人"
    )
    message: ShownMessageIn | None = Field(default=None, description="寄语")

    @model_validator(mode="after")
    def _one_way_and_each_class_once(self) -> Self:
        if (self.co2e_mg is None) == (self.classes is None):
            raise AmountUnclear
        named = [each.class_id for each in self.classes or ()]
        if len(set(named)) < len(named):
            raise ClassTwice
        return self


class CancelledPartOut(BaseModel):
    """What it takes of one class."""

    model_config = FROZEN

    of: ClassOut
    reduction: ReductionOut


class CancelledTextOut(BaseModel):
    """A name or words that were not withdrawn."""

    model_config = FROZEN

    words: str
    is_public: bool


class VoluntaryCancellationOut(BaseModel):
    """A cancellation of one's own (自愿注销)."""

    model_config = FROZEN

    id: str = Field(examples=["can_01k0000000000000000000000a"])
    state: State
    reduction: ReductionOut
    parts: Sequence[CancelledPartOut]
    purpose: PurposeWord
    period: str | None
    pseudonym: str = Field(
        description="What anybody reads where no name is shown. 化名", examples=["3f9a12bc"]
    )
    beneficiary: CancelledTextOut | None
    message: CancelledTextOut | None
    requested_at: datetime
    due_at: datetime = Field(description="It may be reverted until it is posted. 执行时间")
    reverted_at: datetime | None
    reason: Reversion | None = Field(
        description="Why it was reverted: by its owner; what it would take had gone elsewhere; "
        "its owner leaves. 撤回原因"
    )
    posted_at: datetime | None
    finalized_at: datetime | None
    certificate: str | None = Field(
        description="Once it is final. 证书编号", examples=["cert_01k0000000000000000000000a"]
    )


class VoluntaryCancellationPage(BaseModel):
    """A page of them, the newest first."""

    model_config = FROZEN

    data: Sequence[VoluntaryCancellationOut]
    next_cursor: str | None


def shown(found: Cancellation) -> VoluntaryCancellationOut:
    """Show one to its owner."""
    row = found.row
    texts = {
        name: CancelledTextOut(words=text.words, is_public=text.is_public)
        for name, text in found.texts.items()
        if text.words
    }
    return VoluntaryCancellationOut(
        id=row.public,
        state=row.state,
        reduction=mass(row.mg),
        parts=[
            CancelledPartOut(
                of=ClassOut(
                    class_id=asset_key(part.of).hex(),
                    methodology=part.of.methodology,
                    version=part.of.version,
                    scenario=part.of.scenario,
                    grade=part.of.grade,
                    vintage=f"{part.of.vintage:%Y-%m}",
                ),
                reduction=mass(part.mg),
            )
            for part in found.parts
        ],
        purpose=WORDS[row.purpose],
        period=row.period,
        pseudonym=row.beneficiary_commit.hex()[:8],
        beneficiary=texts.get("beneficiary"),
        message=texts.get("message"),
        requested_at=row.requested_at,
        due_at=row.due_at,
        reverted_at=row.reverted_at,
        reason=row.reason,
        posted_at=row.posted_at,
        finalized_at=row.finalized_at,
        certificate=None if row.finalized_at is None else public_id("cert", row.id),
    )
