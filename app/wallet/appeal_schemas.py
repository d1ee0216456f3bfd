"""Appeals on the wire (申诉的对外形式)."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

from app.kernel.http import Str, Written
from app.kernel.ids import public_id
from app.wallet.act_schemas import ActDetailOut
from app.wallet.appeals import Appeal, State
from app.wallet.errors import CorrectionMismatched
from app.wallet.rules import Contest
from app.wallet.schemas import FROZEN, ActId

InputName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
InputText = Annotated[Str, StringConstraints(min_length=1, max_length=100)]
Inputs = Annotated[
    dict[InputName, InputText],
    # A pattern of names alone says nothing of those that do not match it.
    Field(min_length=1, max_length=20, json_schema_extra={"additionalProperties": False}),
]
Words = Written


class AppealIn(BaseModel):
    """What a person contests, and why (提出申诉)."""

    model_config = FROZEN

    activity: Annotated[ActId, Field(max_length=40)]
    contests: Contest
    reason: Words = Field(examples=["那天是我自己坐的地铁 It was my own ride."])


class AppealOut(BaseModel):
    """An appeal as its person sees it (我的申诉)."""

    model_config = FROZEN

    id: str = Field(examples=["apl_01k0000000000000000000000a"])
    activity: ActId
    contests: Contest
    reason: str | None = Field(description="Null once its words were erased.")
    raised_at: datetime
    due_at: datetime = Field(description="By when the desk has to decide.")
    state: State
    decided_at: datetime | None
    answer: str | None
    correction: str | None = Field(description="What an upheld appeal ordered.")


class AppealPage(BaseModel):
    """A person's appeals, newest first."""

    model_config = FROZEN

    data: list[AppealOut]
    next_cursor: str | None


class DeskAppealOut(AppealOut):
    """An appeal as the desk sees it: nothing says who raised it (申诉工单)."""

    decided_by: str | None


class DeskAppealPage(BaseModel):
    """Appeals in one state, the soonest due first."""

    model_config = FROZEN

    data: list[DeskAppealOut]
    next_cursor: str | None


class DeskCaseOut(BaseModel):
    """An appeal with the act that it contests, told whole (申诉详情)."""

    model_config = FROZEN

    appeal: DeskAppealOut
    activity: ActDetailOut


class OrderIn(BaseModel):
    """The correction that is ordered (更正要求)."""

    model_config = FROZEN

    order: Words = Field(examples=["请提供方核对后更正 The provider is to look again."])


class UpholdingIn(BaseModel):
    """A decision that posts what it orders, for two people (入账的处理决定)."""

    model_config = FROZEN

    answer: Words = Field(description="Why; the person reads it.")
    order: Words = Field(examples=["按12.5公里重算 Compute it with 12.5 km."])
    inputs: Inputs = Field(
        description="The right quantities, with their units.",
        examples=[{"distance": "12.5 km"}],
    )


class DecisionIn(BaseModel):
    """What the desk decides (处理决定)."""

    model_config = FROZEN

    decision: Literal["upheld", "rejected"]
    answer: Words = Field(description="Why; the person reads it.")
    correction: OrderIn | None = Field(
        default=None, description="What is to be corrected; required when upheld, and only then."
    )

    @model_validator(mode="after")
    def _upheld_means_corrected(self) -> Self:
        if (self.correction is not None) != (self.decision == "upheld"):
            raise CorrectionMismatched
        return self


def shown_appeal(appeal: Appeal, at: datetime) -> AppealOut:
    """Write an appeal for its person."""
    return AppealOut(
        id=appeal.name,
        activity=public_id("act", appeal.activity),
        contests=appeal.contests,
        reason=appeal.reason,
        raised_at=appeal.raised_at,
        due_at=appeal.due_at,
        state=appeal.state(at),
        decided_at=appeal.decided_at,
        answer=appeal.answer,
        correction=appeal.correction,
    )


def shown_at_desk(appeal: Appeal, at: datetime) -> DeskAppealOut:
    """Write an appeal for the desk."""
    return DeskAppealOut(**dict(shown_appeal(appeal, at)), decided_by=appeal.decided_by)
