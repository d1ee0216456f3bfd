"""The wire forms of recalls (撤回的对外形式)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Day, Int, Str, Written
from app.registry.batches import batch_name
from app.registry.errors import RecallMalformed
from app.registry.recalls import ActsOfDays, Recall, RecalledBatch

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
BATCHES_MAX: Final = 200
ClassKey = Annotated[
    Str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(description="assetKey. 类别键")
]
BatchId = Annotated[
    Str, StringConstraints(max_length=40), Field(examples=["ibt_01k0000000000000000000000a"])
]


class ActsIn(BaseModel):
    """Acts of one class on some days, both included."""

    model_config = FROZEN

    class_key: ClassKey
    first_on: Day
    last_on: Day

    def acts(self) -> ActsOfDays:
        """Give them as the registry has them."""
        return ActsOfDays(bytes.fromhex(self.class_key), self.first_on, self.last_on)


class RecallBatchIn(BaseModel):
    """How many units of a batch stand for nothing."""

    model_config = FROZEN

    batch: BatchId
    void_kg: Annotated[Int, Field(ge=1, le=9_999_999_999)]


class RecallIn(BaseModel):
    """What is to be recalled: acts of some days, or units of batches; one of the two (撤回申请)."""

    model_config = FROZEN

    acts: ActsIn | None = None
    batches: Annotated[list[RecallBatchIn], Field(max_length=BATCHES_MAX)] = []
    reason: Written = Field(description="Public. 公开的理由")

    def named(self) -> dict[str, int]:
        """Give the batches that are named, each once.

        Raises:
            RecallMalformed: Acts and batches, or neither; or a batch stands twice.
        """
        named = {each.batch: each.void_kg for each in self.batches}
        if (self.acts is None) == (not named) or len(named) < len(self.batches):
            raise RecallMalformed
        return named


class RecalledBatchOut(BaseModel):
    """What a recall did to a batch; units of 1 kg."""

    model_config = FROZEN

    batch: str
    void_kg: int
    invalidated_kg: int = Field(description="Of these, free ones: they are gone. 已作废")
    used_kg: int | None = Field(
        description="They have serials: the buffer retires as many. Null until it was looked."
    )
    held_kg: int | None = Field(
        description="Held for somebody: void when given back, used when retired. 占用中"
    )
    owed_kg: int = Field(description="Of the invalidated, bought ones. 应补")
    given_kg: int = Field(description="In their place, from the buffer. 已补")


class RecallBriefOut(BaseModel):
    """A recall in a list (撤回)."""

    model_config = FROZEN

    id: str
    reason: str
    class_key: str | None
    first_on: date | None
    last_on: date | None
    opened_at: datetime


class RecallOut(RecallBriefOut):
    """A recall and what it did; what the buffer lacks is each batch's ``deficit_kg``."""

    batches: Sequence[RecalledBatchOut]


class RecallPage(BaseModel):
    """Some recalls, the newest first."""

    model_config = FROZEN

    data: Sequence[RecallBriefOut]
    next_cursor: str | None


def shown_recall_brief(found: Recall) -> RecallBriefOut:
    """Show a recall in a list."""
    acts = found.acts
    return RecallBriefOut(
        id=found.public,
        reason=found.reason,
        class_key=None if acts is None else acts.key.hex(),
        first_on=None if acts is None else acts.first_on,
        last_on=None if acts is None else acts.last_on,
        opened_at=found.opened_at,
    )


def shown_recall(found: Recall, batches: Sequence[RecalledBatch]) -> RecallOut:
    """Show a recall with what it did."""
    shown = [
        RecalledBatchOut(
            batch=batch_name(each.batch),
            void_kg=each.void_kg,
            invalidated_kg=each.invalidated_kg,
            used_kg=each.used_kg,
            held_kg=each.held_kg,
            owed_kg=each.owed_kg,
            given_kg=each.given_kg,
        )
        for each in batches
    ]
    return RecallOut(**shown_recall_brief(found).model_dump(), batches=shown)
