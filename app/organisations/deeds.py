"""What of an organisation needs two people of the desk (机构的复核事项): as a firm's.

The operator's own organisation receives every unit that is issued, so who it is and who keeps its
affairs needs two as well.
"""

from collections.abc import Mapping
from typing import Final

from sqlmodel import Session

from app.firms.deeds import Firms
from app.organisations.applications import APPLICATIONS, approve
from app.organisations.people import PEOPLE, OrganisationRole, OrganisationUser
from app.organisations.registry import (
    ORGANISATIONS,
    SORT,
    NewOrganisation,
    OrganisationKind,
    open_operator,
)
from app.staff import Deed, Signing
from app.staff.approvals import Payload

FIRMS: Final = Firms(SORT, ORGANISATIONS, PEOPLE, APPLICATIONS)
suspend = FIRMS.suspend


def _approve(session: Session, payload: Payload, signing: Signing) -> None:
    of = FIRMS.approved(payload, signing)
    approve(session, of.keys, of.application, owner=of.owner, at=signing.at)


def _operate(session: Session, payload: Payload, signing: Signing) -> None:
    of = FIRMS.approved(payload, signing)
    named = (payload["name_zh"], payload["name_en"], payload["registration"])
    new = NewOrganisation(of.application, OrganisationKind.OPERATOR, *named)
    made = open_operator(session, of.keys, new, at=signing.at)
    login, name = payload["login"], payload["name"]
    user = OrganisationUser(of.owner, made.id, login, name, OrganisationRole.OWNER, signing.at)
    PEOPLE.add(session, user, bytes.fromhex(payload["enrolment"]))


DEEDS: Final[Mapping[str, Deed]] = {
    FIRMS.act("approve"): _approve,
    FIRMS.act("operator"): _operate,
    **FIRMS.deeds(),
}
