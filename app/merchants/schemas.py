"""The wire forms of merchants, their people, tills and shifts (商户的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.firms.schemas import (
    FirmApplicationIn,
    FirmApplicationOut,
    FirmUserIn,
    FirmUserOut,
    Wires,
)
from app.kernel.http import Int, Written
from app.kernel.ids import public_id
from app.kernel.tokens import PREFIXES
from app.merchants.people import MemberRole
from app.merchants.registry import Merchant, MerchantKind
from app.merchants.tills import Till
from app.staff.schemas import Login, Password, Reason

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
FeePermille = Annotated[
    Int, Field(ge=0, le=500, examples=[20], description="Of the fen of a settlement [‰]. 费率")
]
OfflineCap = Annotated[
    Int,
    Field(
        ge=0,
        le=100_000_000,
        examples=[5_000],
        description="What its tills may redeem unseen at a time [points]. 离线核销上限",
    ),
]


class ApplicationIn(FirmApplicationIn):
    """An organisation that wishes to sell for points."""

    kind: MerchantKind


class ApplicationOut(FirmApplicationOut):
    """An application, as the desk lists it."""

    id: str = Field(examples=["mer_01k0000000000000000000000a"])
    kind: MerchantKind


class ApplicationPage(BaseModel):
    """Some applications, the newest first."""

    model_config = _FROZEN

    data: Sequence[ApplicationOut]
    next_cursor: str | None


class TermsIn(BaseModel):
    """What is agreed with a merchant."""

    model_config = _FROZEN

    fee_permille: FeePermille
    offline_cap_points: OfflineCap
    reason: Reason


class MerchantOut(BaseModel):
    """A merchant, and what is agreed with it."""

    model_config = _FROZEN

    id: str = Field(examples=["mer_01k0000000000000000000000a"])
    kind: MerchantKind
    name_zh: str
    name_en: str
    registration: str
    fee_permille: int
    offline_cap_points: int
    approved_at: datetime
    suspended_at: datetime | None


class MerchantPage(BaseModel):
    """Some merchants, in the order in which they applied."""

    model_config = _FROZEN

    data: Sequence[MerchantOut]
    next_cursor: str | None


class UserIn(FirmUserIn):
    """Somebody who shall work for the merchant; they make the secret and keep it."""

    role: MemberRole


class UserOut(FirmUserOut):
    """Somebody who works for the merchant."""

    id: str = Field(examples=["mus_01k0000000000000000000000a"])
    role: MemberRole


class UserPage(BaseModel):
    """Some of a merchant's people, in the order in which they came."""

    model_config = _FROZEN

    data: Sequence[UserOut]
    next_cursor: str | None


class TillIn(BaseModel):
    """A till, which made a key of its own."""

    model_config = _FROZEN

    label: Annotated[Written, StringConstraints(max_length=80)] = Field(examples=["前台 1"])
    public_key: str = Field(
        pattern=r"^[A-Za-z0-9+/]{43}=$",
        examples=["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
        description="The 32 bytes of an Ed25519 public key, base64. 公钥",
    )


class TillOut(BaseModel):
    """A till; its id is the ``keyid`` of what it signs."""

    model_config = _FROZEN

    id: str = Field(examples=["til_01k0000000000000000000000a"])
    label: str
    opened_at: datetime
    revoked_at: datetime | None
    keeper: str | None = Field(description="Who opened the shift that is open.")
    shift_ends_at: datetime | None


class TillPage(BaseModel):
    """Some tills, in the order of their registration."""

    model_config = _FROZEN

    data: Sequence[TillOut]
    next_cursor: str | None


class ShiftIn(BaseModel):
    """Who opens a shift: their password, and the code that their authenticator shows."""

    model_config = _FROZEN

    login: Login
    password: Password
    code: str = Field(pattern=r"^[0-9]{6}$", examples=["287082"])


class ShiftOut(BaseModel):
    """An open shift."""

    model_config = _FROZEN

    id: str = Field(examples=["shf_01k0000000000000000000000a"])
    till: str = Field(examples=["til_01k0000000000000000000000a"])
    keeper: str = Field(examples=["mus_01k0000000000000000000000a"])
    ends_at: datetime


def merchant_out(merchant: Merchant) -> MerchantOut:
    """Write a merchant as the API gives it."""
    return MerchantOut(
        id=merchant.public,
        kind=merchant.kind,
        name_zh=merchant.name_zh,
        name_en=merchant.name_en,
        registration=merchant.registration,
        fee_permille=merchant.terms.fee_permille,
        offline_cap_points=merchant.terms.offline_cap_points,
        approved_at=merchant.approved_at,
        suspended_at=merchant.suspended_at,
    )


def till_out(till: Till) -> TillOut:
    """Write a till as the API gives it."""
    keeper = None if till.keeper is None else public_id(PREFIXES["merchant"], till.keeper)
    return TillOut(
        id=till.public,
        label=till.label,
        opened_at=till.opened_at,
        revoked_at=till.revoked_at,
        keeper=keeper,
        shift_ends_at=till.shift_ends_at,
    )


WIRES: Final = Wires(
    ApplicationOut, ApplicationPage, MerchantOut, MerchantPage, merchant_out, UserOut, UserPage
)
"""How the endpoints that all firms have write a merchant's."""
