"""An organisation's people (机构人员): owners, who keep its affairs, and agents, who act for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Literal
from uuid import UUID

from app.firms import FirmUser, People
from app.kernel.scopes import Role
from app.organisations.registry import SORT


class OrganisationRole(StrEnum):
    """What somebody does for an organisation."""

    OWNER = "owner"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class OrganisationUser(FirmUser):
    """Somebody who works for an organisation (机构人员)."""

    kind: ClassVar[Literal["organisation"]] = "organisation"
    role: OrganisationRole


ROLES: Final[Mapping[str, Role]] = {
    OrganisationRole.OWNER: Role.ORGANISATION_OWNER,
    OrganisationRole.AGENT: Role.ORGANISATION_AGENT,
}


def _user(  # noqa: PLR0917 -- the columns of the statements
    id_: UUID,
    organisation: UUID,
    login: str,
    name: str,
    role: str,
    opened_at: datetime,
    suspended_at: datetime | None,
) -> OrganisationUser:
    named = (login, name, OrganisationRole(role))
    return OrganisationUser(id_, organisation, *named, opened_at, suspended_at)


PEOPLE: Final = People(SORT, ROLES, _user)
organisation_scopes = PEOPLE.scopes
