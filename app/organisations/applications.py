"""Applications of organisations (机构入驻申请), and what an approval makes of one."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.firms import Applications
from app.kernel.secrets import Keys
from app.organisations.people import PEOPLE, OrganisationRole, OrganisationUser
from app.organisations.registry import (
    SORT,
    ApplicantKind,
    NewOrganisation,
    Organisation,
    open_organisation,
)


def _new(id_: UUID, kind: str, *named: str) -> NewOrganisation:
    return NewOrganisation(id_, ApplicantKind(kind), *named)


APPLICATIONS: Final = Applications(SORT, _new)


def approve(
    session: Session, keys: Keys, application: UUID, *, owner: UUID, at: datetime
) -> Organisation:
    """Make an organisation of an application, with its first owner, who may enrol from now on.

    Raises:
        OrganisationApplicationUnknown, OrganisationApplicationDecided, OrganisationTaken,
        LoginTaken: See their own words.
    """
    found = APPLICATIONS.open(session, application)
    made = open_organisation(session, keys, found.firm, at=at)
    login, name = found.owner.login, found.owner.name or ""
    user = OrganisationUser(owner, made.id, login, name, OrganisationRole.OWNER, at)
    PEOPLE.add(session, user, found.owner.enrolment)
    APPLICATIONS.note_approved(session, application, at=at)
    return made
