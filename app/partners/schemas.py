"""The wire forms of partners (合作机构的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, ProblemOut, Str, Written
from app.kernel.scopes import Scope
from app.partners.public_keys import PublicKeyIn
from app.partners.registry import Partner, PartnerKey

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Reason = Annotated[
    Written,
    Field(examples=["Yearly audit"]),
]


class PartnerIn(BaseModel):
    """Which organisation's machines shall be given what, by which key."""

    model_config = _FROZEN

    name: Annotated[Str, StringConstraints(min_length=1, max_length=200)] = Field(
        examples=["某会计师事务所"]
    )
    scopes: list[Literal[Scope.AUDIT_READ, Scope.WEBHOOKS_MANAGE]] = Field(
        min_length=1, max_length=2
    )
    key: PublicKeyIn
    reason: Reason


class PartnerKeyIn(BaseModel):
    """A key that shall follow the others."""

    model_config = _FROZEN

    key: PublicKeyIn
    overlap_hours: Int = Field(
        default=24, ge=0, le=720, description="How long the others still work."
    )
    reason: Reason


class PartnerKeyOut(BaseModel):
    """A partner's key."""

    model_config = _FROZEN

    kid: str
    algorithm: str = Field(examples=["EdDSA"])
    valid_from: datetime
    valid_to: datetime | None


class PartnerOut(BaseModel):
    """A partner; its id is the ``client_id`` of its machines."""

    model_config = _FROZEN

    id: str = Field(examples=["par_01k0000000000000000000000a"])
    name: str
    scopes: Sequence[Scope]
    opened_at: datetime
    suspended_at: datetime | None
    keys: Sequence[PartnerKeyOut]


class PartnerPage(BaseModel):
    """Some partners, in the order of their admission."""

    model_config = _FROZEN

    data: Sequence[PartnerOut]
    next_cursor: str | None


class MachineTokenOut(BaseModel):
    """An access token, as RFC 6749 §5.1 says it."""

    model_config = _FROZEN

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- a word of the protocol
    expires_in: int = Field(description="[s]", examples=[600])
    scope: str = Field(examples=["audit.read"])


def partner_out(partner: Partner, keys: Sequence[PartnerKey]) -> PartnerOut:
    """Write a partner as the API gives it."""
    return PartnerOut(
        id=partner.public,
        name=partner.name,
        scopes=sorted(partner.scopes),
        opened_at=partner.opened_at,
        suspended_at=partner.suspended_at,
        keys=[
            PartnerKeyOut(
                kid=key.kid,
                algorithm=key.algorithm,
                valid_from=key.valid_from,
                valid_to=key.valid_to,
            )
            for key in keys
        ],
    )


class OAuthErrorOut(ProblemOut):
    """A problem document that names OAuth's error besides (RFC 6749 §5.2)."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]
