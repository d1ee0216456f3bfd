"""The wire forms of providers and their keys (提供方与密钥的对外形式)."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, Str, Written
from app.providers.keyring import KeyTerm
from app.providers.registry import Provider

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
OVERLAP_MAX: Final = timedelta(days=30)

KeyId = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$", examples=["sz-metro-2026"], description="密钥编号"),
]
PublicKey = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9+/]{43}=$",
        examples=["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
        description="The 32 bytes of an Ed25519 public key, base64. 公钥",
    ),
]
Name = Annotated[
    Str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
ProviderCode = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$", examples=["sz-metro"], description="代码")
]
Reason = Written


class KeyIn(BaseModel):
    """A key to put in force."""

    model_config = _FROZEN

    key_id: KeyId
    public_key: PublicKey
    others_end_in_s: Int | None = Field(
        default=None,
        ge=0,
        le=int(OVERLAP_MAX.total_seconds()),
        description="Rotation: every other key ends after so long. Absent: they stay. 轮换",
        examples=[86400],
    )


class KeyOut(BaseModel):
    """A key and the time in which its signatures count."""

    model_config = _FROZEN

    key_id: str
    public_key: str
    valid_from: datetime
    valid_to: datetime | None


class KeysOut(BaseModel):
    """All keys that a provider ever had, the oldest first."""

    model_config = _FROZEN

    data: Sequence[KeyOut]


class EvidenceSecretOut(BaseModel):
    """What opens the commitments to this provider's records, and no other's."""

    model_config = _FROZEN

    secret: str = Field(description="32 bytes, base64; keep it where your signing key is.")
    salt: str = Field(
        default="HMAC-SHA256(secret, 'evidence' || SHA-256(external_id))",
        description="How a record's salt is derived.",
    )


class ProviderIn(BaseModel):
    """A provider to open."""

    model_config = _FROZEN

    code: ProviderCode
    name_zh: Name = Field(examples=["深圳地铁"])
    name_en: Name = Field(examples=["Shenzhen Metro"])


class ProviderOut(BaseModel):
    """A provider as the desk sees it."""

    model_config = _FROZEN

    code: str
    name_zh: str
    name_en: str
    suspended_at: datetime | None


class ProviderPage(BaseModel):
    """Some providers, by code."""

    model_config = _FROZEN

    data: Sequence[ProviderOut]
    next_cursor: str | None


class DeskKeyIn(BaseModel):
    """A key that the desk registers for a provider, and why."""

    model_config = _FROZEN

    key_id: KeyId
    public_key: PublicKey
    reason: Reason = Field(examples=["First key, handed over in person"])


class ProviderReasonIn(BaseModel):
    """Why."""

    model_config = _FROZEN

    reason: Reason = Field(examples=["Readings of May do not match the meters"])


def key_out(key: KeyTerm) -> KeyOut:
    """Write a key."""
    return KeyOut(
        key_id=key.keyid,
        public_key=b64encode(key.public_key).decode(),
        valid_from=key.valid_from,
        valid_to=key.valid_to,
    )


def provider_out(provider: Provider) -> ProviderOut:
    """Write a provider."""
    return ProviderOut(
        code=provider.code,
        name_zh=provider.name_zh,
        name_en=provider.name_en,
        suspended_at=provider.suspended_at,
    )
