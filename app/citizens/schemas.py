"""The wire form of logging in (登录的对外形式), with examples."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints

from app.citizens.errors import PhoneInvalid
from app.citizens.identities import Way
from app.citizens.rules import phone_of
from app.kernel.http import Str, Written
from app.sessions import Delivery

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)


def _e164(text: str) -> str:
    found = phone_of(text)
    if found is None:
        raise PhoneInvalid
    return found


PhoneNumber = Annotated[
    Str,
    StringConstraints(max_length=32),
    AfterValidator(_e164),
    Field(description="Chinese where it names no country.", examples=["13800000000"]),
]
DeviceId = Annotated[
    Str,
    StringConstraints(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9_-]+$"),
    Field(
        description="Random, made once by each installation; a code works where it was asked for.",
        examples=["k7Qm2vX9pLr4TzWn"],
    ),
]
Label = Annotated[
    Written,
    StringConstraints(max_length=80),
    Field(description="How you will know this device again.", examples=["Xiaomi 15"]),
]
ChallengeId = Annotated[
    Str, StringConstraints(max_length=40), Field(examples=["chl_01k0000000000000000000000c"])
]
Digits = Annotated[Str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(examples=["123456"])]
PlatformCode = Annotated[
    Str,
    StringConstraints(min_length=1, max_length=128),
    Field(description="What `wx.login()` gave; works once.", examples=["alice.1"]),
]


class CodeIn(BaseModel):
    """To which phone, from which device."""

    model_config = _FROZEN

    phone: PhoneNumber
    device: DeviceId


class CodeOut(BaseModel):
    """What to show with the digits that arrive by text message."""

    model_config = _FROZEN

    challenge: str = Field(examples=["chl_01k0000000000000000000000c"])
    ends_at: datetime
    resend_at: datetime = Field(description="From when on another can be asked for.")


class ByCode(BaseModel):
    """A one-time code."""

    model_config = _FROZEN

    grant: Literal["code"]
    challenge: ChallengeId
    code: Digits
    device: DeviceId


class ByWechat(BaseModel):
    """WeChat's word for somebody."""

    model_config = _FROZEN

    grant: Literal["wechat"]
    code: PlatformCode


class CodeGrant(ByCode):
    """Log in by phone; the first time opens the citizen."""

    label: Label = "?"
    delivery: Delivery = "body"


class WechatGrant(ByWechat):
    """Log in by WeChat; joins anew only where ``open`` says so."""

    open: StrictBool = Field(
        default=False, description="Join as a new citizen if nobody has this login."
    )
    label: Label = "?"
    delivery: Delivery = "body"


TokensIn = Annotated[CodeGrant | WechatGrant, Field(discriminator="grant")]
LoginIn = Annotated[ByCode | ByWechat, Field(discriminator="grant")]


class LoginOut(BaseModel):
    """A way in that you have."""

    model_config = _FROZEN

    way: Way
    linked_at: datetime


class LoginsOut(BaseModel):
    """Every way in that you have."""

    model_config = _FROZEN

    data: list[LoginOut]
