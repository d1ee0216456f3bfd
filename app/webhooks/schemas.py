"""The wire forms of endpoints and deliveries (网络回调的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from app.kernel.http import Int, Str
from app.kernel.secrets import Keys
from app.staff.credentials import seal_owner
from app.webhooks.endpoints import Endpoint, OffFor
from app.webhooks.log import Delivery, Replayed
from app.webhooks.messages import public_message
from app.webhooks.rules import URL_MAX, NewsKind
from app.webhooks.signing import Scheme, public_key

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Url = Annotated[
    Str,
    Field(
        min_length=8,
        max_length=URL_MAX,
        examples=["https://shop.example/webhooks"],
        description="https, a public host, port 443 or 8443. 回调地址",
    ),
]


def _distinct(kinds: list[NewsKind]) -> list[NewsKind]:
    return sorted(set(kinds))


Kinds = Annotated[
    list[NewsKind],
    AfterValidator(_distinct),
    Field(min_length=1, max_length=20, examples=[["voucher.redeemed", "voucher.reversed"]]),
]


class EndpointIn(BaseModel):
    """Where to tell what, and how to sign it."""

    model_config = _FROZEN

    url: Url
    types: Kinds
    scheme: Scheme = Field(
        default=Scheme.ED25519, description="`v1a` Ed25519, `v1` HMAC-SHA256. 签名方式"
    )


class EndpointChangeIn(BaseModel):
    """What shall be otherwise."""

    model_config = _FROZEN

    url: Url | None = None
    types: Kinds | None = None
    is_on: bool | None = None


class RotationIn(BaseModel):
    """How long the secret that is replaced still signs besides."""

    model_config = _FROZEN

    overlap_hours: Int = Field(default=24, ge=0, le=168)


class ReplayIn(BaseModel):
    """What to send again: one message, or all that was told since an instant."""

    model_config = _FROZEN

    message: Annotated[Str, Field(max_length=40)] | None = Field(
        default=None, examples=["msg_01k0000000000000000000000a"]
    )
    since: AwareDatetime | None = None


class EndpointOut(BaseModel):
    """An endpoint."""

    model_config = _FROZEN

    id: str = Field(examples=["whk_01k0000000000000000000000a"])
    url: str
    types: Sequence[NewsKind]
    scheme: Scheme
    public_keys: Sequence[str] = Field(
        description="Of `v1a`, the newest first: `whpk_` and base64. 验签公钥"
    )
    old_secret_until: datetime | None = Field(description="While there are two signatures.")
    created_at: datetime
    answered_at: datetime | None = Field(description="When it last took a message.")
    off_at: datetime | None
    off_for: OffFor | None = Field(
        description="`owner`: asked so; `gone`: it answered 410; `failing`: took nothing for days."
    )


class EndpointList(BaseModel):
    """All endpoints of an owner; at most ten."""

    model_config = _FROZEN

    data: Sequence[EndpointOut]


class SecretOut(BaseModel):
    """The secret that signs an endpoint's messages with HMAC."""

    model_config = _FROZEN

    secret: str = Field(examples=["whsec_…"])


class TryOut(BaseModel):
    """One try; without an end, it is not known whether it arrived."""

    model_config = _FROZEN

    number: int
    begun_at: datetime
    ended_at: datetime | None
    status: int | None = Field(description="Of the answer.")
    fault: str | None = Field(description="Why there was none.", examples=["timeout"])


class DeliveryOut(BaseModel):
    """What became of a message."""

    model_config = _FROZEN

    message: str = Field(examples=["msg_01k0000000000000000000000a"])
    type: NewsKind
    told_at: datetime
    state: Literal["waiting", "delivered", "failed"]
    due_at: datetime | None = Field(description="When it is tried next.")
    tries: int
    latest: Sequence[TryOut]


class DeliveryPage(BaseModel):
    """Some deliveries, the newest message first."""

    model_config = _FROZEN

    data: Sequence[DeliveryOut]
    next_cursor: str | None


class ReplayOut(BaseModel):
    """How much is sent again."""

    model_config = _FROZEN

    messages: int
    until: datetime | None = Field(
        description="When the last of them was told, if there may be more: go on from there."
    )


class PingOut(BaseModel):
    """The ping that is on its way."""

    model_config = _FROZEN

    message: str = Field(examples=["msg_01k0000000000000000000000a"])


def endpoint_out(endpoint: Endpoint, keys: Keys, *, at: datetime) -> EndpointOut:
    """Write an endpoint as the API gives it."""
    sealed, owner = endpoint.secrets(at), seal_owner(endpoint.id)
    is_public = endpoint.scheme is Scheme.ED25519
    public = [public_key(keys.open(each, owner=owner)) for each in sealed] if is_public else []
    return EndpointOut(
        id=endpoint.public,
        url=endpoint.url,
        types=endpoint.kinds,
        scheme=endpoint.scheme,
        public_keys=public,
        old_secret_until=endpoint.old_until if len(sealed) > 1 else None,
        created_at=endpoint.created_at,
        answered_at=endpoint.answered_at,
        off_at=endpoint.off_at,
        off_for=endpoint.off_for,
    )


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """Write a delivery likewise."""
    return DeliveryOut(
        message=public_message(delivery.message),
        type=delivery.kind,
        told_at=delivery.told_at,
        state=delivery.state,
        due_at=delivery.due_at if delivery.state == "waiting" else None,
        tries=delivery.tries,
        latest=[TryOut(**each._asdict()) for each in delivery.tried],
    )


def replay_out(replayed: Replayed) -> ReplayOut:
    """Write what a replay does."""
    return ReplayOut(messages=replayed.messages, until=replayed.until)
