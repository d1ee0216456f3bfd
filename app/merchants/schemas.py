"""The wire forms of merchants, their people, tills and shifts (商户的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Int, Str, Written
from app.kernel.ids import public_id
from app.kernel.tokens import PREFIXES
from app.merchants.applications import Application, Reach
from app.merchants.people import MemberRole, MerchantUser
from app.merchants.registry import Merchant, MerchantKind, Terms
from app.merchants.tills import Till
from app.staff.schemas import Commitment, Login, Name, Password, Reason

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Line = Annotated[
    Str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""One line of text."""
Registration = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$",
        examples=["91350100M000100Y43"],
        description="Unified social credit code, GB 32100. 统一社会信用代码",
    ),
]
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


class ApplicationState(StrEnum):
    """Where an application stands."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


class ContactWire(BaseModel):
    """Whom to reach."""

    model_config = _FROZEN

    name: Name = Field(examples=["李安"])
    phone: str = Field(pattern=r"^\+?[0-9 -]{5,30}$", examples=["+86 755 8888 0000"])
    email: str = Field(pattern=r"^[!-?A-~]{1,100}@[!-?A-~]{1,100}$", examples=["an@coffee.example"])


class BankWire(BaseModel):
    """Where to pay."""

    model_config = _FROZEN

    holder: Line = Field(examples=["深圳某某咖啡有限公司"])
    bank: Line = Field(examples=["某某银行深圳分行"])
    number: str = Field(pattern=r"^[0-9A-Z]{6,34}$", examples=["6222000000000000000"])


class FirstOwnerIn(BaseModel):
    """Who shall keep the merchant's affairs; they make the secret and keep it."""

    model_config = _FROZEN

    login: Login
    name: Name = Field(examples=["李安"])
    enrolment_sha256: Commitment


class ApplicationIn(BaseModel):
    """An organisation that wishes to sell for points."""

    model_config = _FROZEN

    kind: MerchantKind
    name_zh: Line = Field(examples=["某某咖啡"])
    name_en: Line = Field(examples=["Some Coffee"])
    registration: Registration
    contact: ContactWire
    bank: BankWire
    owner: FirstOwnerIn


class ApplicationReceivedOut(BaseModel):
    """That an application was received; the desk will be in touch."""

    model_config = _FROZEN

    id: str = Field(examples=["mer_01k0000000000000000000000a"])
    applied_at: datetime


class ApplicationOut(BaseModel):
    """An application, as the desk lists it."""

    model_config = _FROZEN

    id: str = Field(examples=["mer_01k0000000000000000000000a"])
    kind: MerchantKind
    name_zh: str
    name_en: str
    registration: str
    login: str = Field(description="Of the first owner.")
    state: ApplicationState
    applied_at: datetime


class ApplicationPage(BaseModel):
    """Some applications, the newest first."""

    model_config = _FROZEN

    data: Sequence[ApplicationOut]
    next_cursor: str | None


class ReachOut(BaseModel):
    """Whom to reach and where to pay; each reading is in the audit log."""

    model_config = _FROZEN

    contact: ContactWire
    bank: BankWire


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


class UserIn(BaseModel):
    """Somebody who shall work for the merchant; they make the secret and keep it."""

    model_config = _FROZEN

    login: Login
    name: Name = Field(examples=["王波"])
    role: MemberRole
    enrolment_sha256: Commitment


class UserResetIn(BaseModel):
    """By which secret somebody shall enrol anew."""

    model_config = _FROZEN

    enrolment_sha256: Commitment


class UserOut(BaseModel):
    """Somebody who works for the merchant."""

    model_config = _FROZEN

    id: str = Field(examples=["mus_01k0000000000000000000000a"])
    login: str
    name: str
    role: MemberRole
    opened_at: datetime
    suspended_at: datetime | None


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


def reach_in(body: ApplicationIn) -> Reach:
    """Read whom to reach and where to pay."""
    return {"contact": body.contact.model_dump(), "bank": body.bank.model_dump()}


def terms_of(body: TermsIn) -> Terms:
    """Read what is agreed."""
    return Terms(body.fee_permille, body.offline_cap_points)


def application_out(application: Application) -> ApplicationOut:
    """Write an application as the API gives it."""
    merchant, state = application.merchant, ApplicationState.OPEN
    if application.approved_at is not None:
        state = ApplicationState.APPROVED
    elif application.refused_at is not None:
        state = ApplicationState.REFUSED
    return ApplicationOut(
        id=application.public,
        kind=merchant.kind,
        name_zh=merchant.name_zh,
        name_en=merchant.name_en,
        registration=merchant.registration,
        login=application.owner.login,
        state=state,
        applied_at=application.applied_at,
    )


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


def user_out(user: MerchantUser) -> UserOut:
    """Write one of a merchant's people as the API gives them."""
    return UserOut(
        id=user.public,
        login=user.login,
        name=user.name,
        role=user.role,
        opened_at=user.opened_at,
        suspended_at=user.suspended_at,
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
