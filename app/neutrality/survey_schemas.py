"""The wire forms of travel surveys (出行问卷的对外形式)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field
from pydantic import StringConstraints as Text

from app.kernel.http import Int, Str
from app.neutrality.gathering_schemas import COUNT_MAX, FROZEN
from app.neutrality.modes import Mode
from app.neutrality.survey_rules import REACH, SHARERS_MAX, Band, SurveyAnswer

Ticket = Annotated[
    Str,
    Text(min_length=1, max_length=60, pattern=r"^[A-Za-z2-7]+$"),
    Field(examples=["aaaaaai7uv4p2m6xq3kz5w2a"], description="From the ticket's QR code. 票码"),
]


class SurveyIn(BaseModel):
    """Until when a survey is open."""

    model_config = FROZEN

    closes_at: AwareDatetime = Field(examples=["2026-12-13T23:59:59+08:00"])


class SurveyOut(BaseModel):
    """A travel survey, as its organiser sees it (出行问卷)."""

    model_config = FROZEN

    address: str = Field(description="What the QR code opens.")
    closes_at: datetime
    answers: int = Field(description="How many tickets have answered.")
    document: Mapping[str, Any] | None = Field(
        description="How often each answer was given, once it has closed and thirty or more have "
        "answered; its canonical JSON's SHA-256 is the evidence of the lines."
    )


class TicketsOut(BaseModel):
    """Tickets of a gathering, to be printed."""

    model_config = FROZEN

    data: Sequence[str]


class AttendanceIn(BaseModel):
    """For how many the answers stand."""

    model_config = FROZEN

    attendance: Int = Field(ge=1, le=COUNT_MAX, examples=[36512], description="到场人数")


class PublicSurveyOut(BaseModel):
    """A survey, as anybody with its address sees it."""

    model_config = FROZEN

    title_zh: str
    title_en: str
    closes_at: datetime
    modes: Mapping[Mode, Sequence[Band]] = Field(description="Of each way, from which to which.")


class SurveyAnswerIn(BaseModel):
    """How somebody travels, there and back."""

    model_config = FROZEN

    ticket: Ticket
    mode: Mode
    band_km: Band = Field(description="How far from home, one way. 单程距离（公里）")
    persons: Int = Field(
        default=1, ge=1, le=SHARERS_MAX, description="In the same car or on the same bike. 同车人数"
    )


class SurveyFormIn(SurveyAnswerIn):
    """Likewise, as a browser's form sends it: numbers are texts there."""

    persons: int = Field(default=1, ge=1, le=SHARERS_MAX)


class CountedOut(BaseModel):
    """An answer that was counted, and is kept nowhere."""

    model_config = FROZEN

    counted: bool = True
    on: date


def answer_in(body: SurveyAnswerIn) -> SurveyAnswer:
    """Read an answer."""
    return SurveyAnswer(body.mode, body.band_km, body.persons)


def modes_out() -> Mapping[Mode, Sequence[Band]]:
    """Tell from which distance to which anybody travels in each way."""
    return REACH
