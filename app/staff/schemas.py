"""The wire forms of the desk (办事台的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.kernel.http import Str, Written
from app.kernel.ids import public_id
from app.kernel.scopes import Role
from app.sessions import Delivery
from app.staff.approvals import Approval, Payload
from app.staff.audit_log import Detail, LoggedEntry
from app.staff.clerks import Clerk

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Login = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,39}$", examples=["an.li"], description="登录名")
]
Reason = Annotated[
    Written,
    Field(examples=["Joins in June"]),
]
Name = Annotated[Written, StringConstraints(max_length=100)]
Organisation = Annotated[Str, StringConstraints(min_length=1, max_length=200)]
Roles = Annotated[list[Role], Field(min_length=1, max_length=len(Role), examples=[["expert"]])]
Commitment = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{64}$",
        examples=["9f" * 32],
        description="SHA-256 of the secret that the clerk made and keeps, in hex. 登记口令的摘要",
    ),
]
Enrolment = Annotated[
    str,
    Field(
        pattern=r"^[a-z2-7]{32}$",
        examples=["mfrggzdfmztwq2lkmfrggzdfmztwq2lk"],
        description="The secret: 160 random bits in base32, lower case. 登记口令",
    ),
]
Password = Annotated[Str, StringConstraints(min_length=1, max_length=200)]


class ApprovalState(StrEnum):
    """Where a request for a second signature stands."""

    OPEN = "open"
    SIGNED = "signed"
    REFUSED = "refused"


class ApprovalOut(BaseModel):
    """A request for a second signature, with all that the signature sets in motion."""

    model_config = _FROZEN

    id: str = Field(examples=["apr_01k0000000000000000000000a"])
    act: str = Field(examples=["staff.admit"])
    object: str = Field(examples=["an.li"])
    scope: str = Field(description="What the signer needs.", examples=["staff.manage"])
    payload: Payload
    reason: str
    asked_by: str = Field(examples=["clk_01k0000000000000000000000a"])
    asked_at: datetime
    state: ApprovalState
    decided_by: str | None
    decided_at: datetime | None


class ApprovalPage(BaseModel):
    """Some requests, the newest first."""

    model_config = _FROZEN

    data: Sequence[ApprovalOut]
    next_cursor: str | None


class AuditEntryOut(BaseModel):
    """One act of the desk, and the hash that chains it to all before."""

    model_config = _FROZEN

    number: int = Field(examples=[7])
    at: datetime
    actor: str = Field(examples=["clk_01k0000000000000000000000a"])
    act: str = Field(examples=["approvals.sign"])
    object: str = Field(examples=["apr_01k0000000000000000000000a"])
    detail: Detail
    hash: str = Field(examples=["9f" * 32], description="SHA-256, in hex.")


class AuditEntryPage(BaseModel):
    """Some acts of the desk, the newest first."""

    model_config = _FROZEN

    data: Sequence[AuditEntryOut]
    next_cursor: str | None


class AdmissionIn(BaseModel):
    """Who shall be a clerk, in which roles."""

    model_config = _FROZEN

    login: Login
    name: Name = Field(examples=["李安"])
    organisation: Organisation = Field(examples=["某市生态环境局"])
    roles: Roles
    enrolment_sha256: Commitment
    reason: Reason


class RolesIn(BaseModel):
    """Which roles a clerk shall have from now on."""

    model_config = _FROZEN

    roles: Roles
    reason: Reason


class ReasonIn(BaseModel):
    """Why."""

    model_config = _FROZEN

    reason: Reason


class ResetIn(BaseModel):
    """By which secret a clerk shall enrol anew."""

    model_config = _FROZEN

    enrolment_sha256: Commitment
    reason: Reason


class ClerkOut(BaseModel):
    """A clerk."""

    model_config = _FROZEN

    id: str = Field(examples=["clk_01k0000000000000000000000a"])
    login: str
    name: str
    organisation: str
    roles: Sequence[Role]
    opened_at: datetime
    suspended_at: datetime | None


class ClerkPage(BaseModel):
    """Some clerks, in the order of their admission."""

    model_config = _FROZEN

    data: Sequence[ClerkOut]
    next_cursor: str | None


class EnrolmentIn(BaseModel):
    """A clerk's secret, shown once, and the password that they choose."""

    model_config = _FROZEN

    login: Login
    secret: Enrolment
    password: Password


class EnrolmentOut(BaseModel):
    """What an authenticator scans; it is shown here and nowhere else."""

    model_config = _FROZEN

    otpauth_uri: str = Field(examples=["otpauth://totp/Tanpu:an.li?secret=GEZD&issuer=Tanpu"])


class LoginIn(BaseModel):
    """A clerk's password, and the code that their authenticator shows."""

    model_config = _FROZEN

    login: Login
    password: Password
    code: str = Field(pattern=r"^[0-9]{6}$", examples=["287082"])
    delivery: Delivery = "body"


def approval_out(approval: Approval) -> ApprovalOut:
    """Write a request as the API gives it."""
    state = {None: ApprovalState.OPEN, True: ApprovalState.SIGNED, False: ApprovalState.REFUSED}
    return ApprovalOut(
        id=public_id("apr", approval.id),
        act=approval.act,
        object=approval.object,
        scope=approval.scope,
        payload=approval.payload,
        reason=approval.reason,
        asked_by=approval.asked_by,
        asked_at=approval.asked_at,
        state=state[approval.is_signed],
        decided_by=approval.decided_by,
        decided_at=approval.decided_at,
    )


def entry_out(logged: LoggedEntry) -> AuditEntryOut:
    """Write an entry of the audit log as the API gives it."""
    entry = logged.entry
    return AuditEntryOut(
        number=entry.number,
        at=entry.at,
        actor=entry.actor,
        act=entry.act,
        object=entry.object,
        detail=entry.detail,
        hash=logged.hash.hex(),
    )


def clerk_out(clerk: Clerk) -> ClerkOut:
    """Write a clerk as the API gives them."""
    return ClerkOut(
        id=clerk.public,
        login=clerk.login,
        name=clerk.name,
        organisation=clerk.organisation,
        roles=sorted(clerk.roles),
        opened_at=clerk.opened_at,
        suspended_at=clerk.suspended_at,
    )
