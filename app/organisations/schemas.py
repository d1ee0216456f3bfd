"""The wire forms of organisations and their people (机构的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from app.firms.schemas import (
    FirmApplicationIn,
    FirmApplicationOut,
    FirmUserIn,
    FirmUserOut,
    FirstOwnerIn,
    Line,
    Registration,
    Wires,
)
from app.organisations.people import OrganisationRole
from app.organisations.registry import ApplicantKind, Organisation, OrganisationKind
from app.staff.schemas import Reason

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)


class OrganisationApplicationIn(FirmApplicationIn):
    """An enterprise or institution that wishes to take part."""

    kind: ApplicantKind


class OrganisationApplicationOut(FirmApplicationOut):
    """An application of an organisation, as the desk lists it."""

    id: str = Field(examples=["org_01k0000000000000000000000a"])
    kind: ApplicantKind


class OrganisationApplicationPage(BaseModel):
    """Some applications of organisations, the newest first."""

    model_config = _FROZEN

    data: Sequence[OrganisationApplicationOut]
    next_cursor: str | None


class OperatorIn(BaseModel):
    """What the operator's own organisation is called, and who keeps its affairs."""

    model_config = _FROZEN

    name_zh: Line = Field(examples=["某市碳普惠运营有限公司"])
    name_en: Line = Field(examples=["Some City Carbon Inclusion Co., Ltd."])
    registration: Registration
    owner: FirstOwnerIn
    reason: Reason


class OrganisationOut(BaseModel):
    """An organisation."""

    model_config = _FROZEN

    id: str = Field(examples=["org_01k0000000000000000000000a"])
    kind: OrganisationKind
    name_zh: str
    name_en: str
    registration: str
    approved_at: datetime
    suspended_at: datetime | None


class OrganisationPage(BaseModel):
    """Some organisations, in the order in which they applied."""

    model_config = _FROZEN

    data: Sequence[OrganisationOut]
    next_cursor: str | None


class OrganisationUserIn(FirmUserIn):
    """Somebody who shall work for the organisation; they make the secret and keep it."""

    role: OrganisationRole


class OrganisationUserOut(FirmUserOut):
    """Somebody who works for the organisation."""

    id: str = Field(examples=["oru_01k0000000000000000000000a"])
    role: OrganisationRole


class OrganisationUserPage(BaseModel):
    """Some of an organisation's people, in the order in which they came."""

    model_config = _FROZEN

    data: Sequence[OrganisationUserOut]
    next_cursor: str | None


def organisation_out(organisation: Organisation) -> OrganisationOut:
    """Write an organisation as the API gives it."""
    return OrganisationOut(
        id=organisation.public,
        kind=organisation.kind,
        name_zh=organisation.name_zh,
        name_en=organisation.name_en,
        registration=organisation.registration,
        approved_at=organisation.approved_at,
        suspended_at=organisation.suspended_at,
    )


WIRES: Final = Wires(
    OrganisationApplicationOut,
    OrganisationApplicationPage,
    OrganisationOut,
    OrganisationPage,
    organisation_out,
    OrganisationUserOut,
    OrganisationUserPage,
)
"""How the endpoints that all firms have write an organisation's."""
