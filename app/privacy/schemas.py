"""The wire form of consents, profiles and erasures (隐私接口的对外形式), with examples."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from app.citizens.choices import Language
from app.kernel.http import Day, Str

SCENES_MAX: Final = 50
INSTRUMENTS_MAX: Final = 20
_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)

Number = Annotated[
    Str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=r"^[^\s\x00]+$"),
]
Scene = Annotated[Str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9-]+$")]
Name = Annotated[
    Str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=40,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
    ),
]


class ConsentsIn(BaseModel):
    """What holds at this provider from now on; what is not named ends."""

    model_config = _FROZEN

    scenes: list[Scene] = Field(max_length=SCENES_MAX, examples=[["sz-metro"]])
    whereabouts: StrictBool = Field(
        description="Sensitive, so asked for by itself: may this provider tell station, vehicle "
        "and time? No journey counts without it. 单独同意：行踪信息"
    )
    at_least_14: StrictBool = Field(
        default=False,
        description="I am 14 or older; a declared birth date says it as well. 本人已满十四周岁",
    )
    instruments: list[Number] | None = Field(
        default=None,
        max_length=INSTRUMENTS_MAX,
        description="All my card, meter or account numbers there, kept as keyed hashes; absent "
        "leaves the links as they are.",
        examples=[["CARD-1"]],
    )


class IntervalOut(BaseModel):
    """One stretch of time, open at its end while `until` is absent."""

    model_config = _FROZEN

    since: datetime
    until: datetime | None


class SceneOut(BaseModel):
    """One scene, with every stretch for which it was consented to."""

    model_config = _FROZEN

    scene: str = Field(examples=["sz-metro"])
    is_given: bool
    history: list[IntervalOut]


class ProviderConsentsOut(BaseModel):
    """All that I ever consented to at one provider."""

    model_config = _FROZEN

    provider: str = Field(examples=["sz-metro"])
    name_zh: str
    name_en: str
    scenes: list[SceneOut]
    whereabouts: SceneOut
    instruments: list[IntervalOut] = Field(
        description="A stretch for each card, meter or number; the number itself is not kept."
    )


class ConsentsOut(BaseModel):
    """My consents, provider by provider, and what can be consented to."""

    model_config = _FROZEN

    data: list[ProviderConsentsOut]
    scenes: list[str] = Field(description="What can be given; `travel` needs whereabouts.")
    travel: list[str]


class GuardianOut(BaseModel):
    """A guardianship, from either side."""

    model_config = _FROZEN

    id: str = Field(examples=["gua_01k0000000000000000000000a"])
    since: datetime


class WardsOut(BaseModel):
    """Those whom I stand for."""

    model_config = _FROZEN

    data: list[GuardianOut]


class CodeOut(BaseModel):
    """What a guardian enters, for a day."""

    model_config = _FROZEN

    code: str = Field(examples=["1f0k3m5n7p9q"])
    ends_at: datetime


class CodeIn(BaseModel):
    """The code that the child shows."""

    model_config = _FROZEN

    code: Annotated[Str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=20)]


class ProfileOut(BaseModel):
    """Who I am here, and what I chose."""

    model_config = _FROZEN

    id: str = Field(examples=["cit_01k0000000000000000000000a"])
    joined_at: datetime
    display_name: str | None
    birth_date: date | None
    is_child: bool = Field(description="Under 14 by the declared birth date. 未满十四周岁")
    guardian: GuardianOut | None
    automatic_exchange: bool
    language: Language | None
    erasure: str | None = Field(description="The stage of my erasure, once asked for.")


class ProfileIn(BaseModel):
    """What to change; fields that are absent stay as they are."""

    model_config = _FROZEN

    display_name: Name | None = Field(default=None, examples=["小明"])
    birth_date: Day = Field(default=date.min, description="Declared once.", examples=["1990-05-01"])
    automatic_exchange: StrictBool = False
    language: Language | None = None


class ErasureIn(BaseModel):
    """The word that nobody sends by mistake."""

    model_config = _FROZEN

    confirm: Literal["erase"]


class ErasureAskedOut(BaseModel):
    """What to keep: after this there is no login."""

    model_config = _FROZEN

    id: str = Field(examples=["era_01k0000000000000000000000a"])
    token: str = Field(description="Opens the receipt, and nothing else. Shown this once.")
    receipt_path: str = Field(examples=["/v1/erasures/…"])


class ErasureReceiptOut(BaseModel):
    """The platform's signature over what was destroyed, and when."""

    model_config = _FROZEN

    statement: str = Field(description="Canonical JSON; these very characters are signed.")
    signature: str = Field(description="Ed25519 over the statement, base64.")
    public_key: str = Field(description="Ed25519 public key, base64; also at `tanpu keys`.")


class ErasureOut(BaseModel):
    """How far an erasure has come."""

    model_config = _FROZEN

    id: str
    asked_at: datetime
    stage: str = Field(examples=["noted"])
    receipt: ErasureReceiptOut | None = Field(description="Once everything is destroyed.")
