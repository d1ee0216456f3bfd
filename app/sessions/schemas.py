"""The wire form of sessions (会话的对外形式), with examples."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Str

Delivery = Literal["body", "cookie"]
"""Where the refresh token goes: an app keeps it in the system's keychain, a page in a cookie."""

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)


class TokensOut(BaseModel):
    """An access token, and what to come back with."""

    model_config = _FROZEN

    who: str = Field(examples=["cit_01k0000000000000000000000a"])
    session: str = Field(examples=["ses_01k0000000000000000000000b"])
    access_token: str = Field(description="For `Authorization: Bearer …`.")
    access_ends_at: datetime
    refresh_token: str | None = Field(description="Once only; absent where it is in a cookie.")
    refresh_ends_at: datetime = Field(description="Log in again at the latest then.")


class RefreshIn(BaseModel):
    """A refresh token, unless it comes in the cookie."""

    model_config = _FROZEN

    refresh_token: Annotated[Str, StringConstraints(max_length=200)] | None = None


class SessionOut(BaseModel):
    """One device on which you are logged in."""

    model_config = _FROZEN

    id: str = Field(examples=["ses_01k0000000000000000000000b"])
    label: str = Field(examples=["Xiaomi 15"])
    opened_at: datetime
    seen_at: datetime = Field(description="Last refreshed; at most ten minutes before last used.")
    ends_at: datetime


class SessionsOut(BaseModel):
    """Your open sessions, the last used first."""

    model_config = _FROZEN

    data: list[SessionOut]


class KeySetOut(BaseModel):
    """The public keys of access tokens (RFC 7517), the newest last."""

    model_config = _FROZEN

    keys: Sequence[Mapping[str, str]]
