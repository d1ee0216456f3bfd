"""The wire forms that all firms have (单位的对外形式)."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.firms.applications import Application, FirstOwner, NewFirm, Reach
from app.firms.people import FirmUser
from app.kernel.http import Str
from app.staff.schemas import Commitment, Login, Name, Reason

NewT = TypeVar("NewT", bound=NewFirm)
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
    """Who shall keep the firm's affairs; they make the secret and keep it."""

    model_config = _FROZEN

    login: Login
    name: Name = Field(examples=["李安"])
    enrolment_sha256: Commitment


class FirmApplicationIn(BaseModel):
    """A firm that wishes to take part; each sort says besides which kinds of it there are."""

    model_config = _FROZEN

    name_zh: Line = Field(examples=["某某咖啡"])
    name_en: Line = Field(examples=["Some Coffee"])
    registration: Registration
    contact: ContactWire
    bank: BankWire
    owner: FirstOwnerIn


class ApplicationReceivedOut(BaseModel):
    """That an application was received; the desk will be in touch."""

    model_config = _FROZEN

    id: str = Field(
        examples=["mer_01k0000000000000000000000a"], description="The firm's, once approved."
    )
    applied_at: datetime


class FirmApplicationOut(BaseModel):
    """An application, as the desk lists it."""

    model_config = _FROZEN

    id: str
    name_zh: str
    name_en: str
    registration: str
    login: str = Field(description="Of the first owner.")
    state: ApplicationState
    applied_at: datetime


class ReachIn(BaseModel):
    """Whom to reach and where to pay from now on."""

    model_config = _FROZEN

    contact: ContactWire
    bank: BankWire
    reason: Reason


class ReachOut(BaseModel):
    """Whom to reach and where to pay; each reading is in the audit log."""

    model_config = _FROZEN

    contact: ContactWire
    bank: BankWire


class FirmUserIn(BaseModel):
    """Somebody who shall work for the firm; they make the secret and keep it."""

    model_config = _FROZEN

    login: Login
    name: Name = Field(examples=["王波"])
    enrolment_sha256: Commitment


class UserResetIn(BaseModel):
    """By which secret somebody shall enrol anew."""

    model_config = _FROZEN

    enrolment_sha256: Commitment


class FirmUserOut(BaseModel):
    """Somebody who works for the firm."""

    model_config = _FROZEN

    id: str
    login: str
    name: str
    opened_at: datetime
    suspended_at: datetime | None


WireT = TypeVar("WireT", bound=BaseModel)
FirmT = TypeVar("FirmT")


class Wires(NamedTuple, Generic[FirmT]):
    """How one sort of firm is written: its wire models, and what fills that of a firm."""

    application: type[FirmApplicationOut]
    applications: type[BaseModel]
    firm: type[BaseModel]
    firms: type[BaseModel]
    write: Callable[[FirmT], BaseModel]
    user: type[FirmUserOut]
    users: type[BaseModel]


def reach_in(body: FirmApplicationIn | ReachIn) -> Reach:
    """Read whom to reach and where to pay."""
    return {"contact": body.contact.model_dump(), "bank": body.bank.model_dump()}


def owner_in(body: FirmApplicationIn) -> FirstOwner:
    """Read who shall keep the firm's affairs."""
    owner = body.owner
    return FirstOwner(owner.login, owner.name, bytes.fromhex(owner.enrolment_sha256))


def application_out(application: Application[NewT], id_: str, wire: type[WireT]) -> WireT:
    """Write an application as the API gives it."""
    firm, state = application.firm, ApplicationState.OPEN
    if application.approved_at is not None:
        state = ApplicationState.APPROVED
    elif application.refused_at is not None:
        state = ApplicationState.REFUSED
    written = {
        "id": id_,
        "kind": firm.kind,
        "name_zh": firm.name_zh,
        "name_en": firm.name_en,
        "registration": firm.registration,
        "login": application.owner.login,
        "state": state,
        "applied_at": application.applied_at,
    }
    return wire.model_validate(written)


def user_out(user: FirmUser, wire: type[WireT]) -> WireT:
    """Write one of a firm's people as the API gives them."""
    written = {
        "id": user.public,
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "opened_at": user.opened_at,
        "suspended_at": user.suspended_at,
    }
    return wire.model_validate(written)
