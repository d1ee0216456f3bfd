"""Applications of merchants (商户入驻申请), and what an approval makes of one."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.firms import Applications
from app.kernel.secrets import Keys
from app.merchants.people import MemberRole, MerchantUser, add_user
from app.merchants.registry import SORT, Merchant, MerchantKind, NewMerchant, Terms, open_merchant


def _new(id_: UUID, kind: str, *named: str) -> NewMerchant:
    return NewMerchant(id_, MerchantKind(kind), *named)


APPLICATIONS: Final = Applications(SORT, _new)
apply = APPLICATIONS.apply


def approve(
    session: Session, keys: Keys, application: UUID, terms: Terms, *, owner: UUID, at: datetime
) -> Merchant:
    """Make a merchant of an application, with its first owner, who may enrol from now on.

    Raises:
        ApplicationUnknown, ApplicationDecided, RegistrationTaken, LoginTaken: See their own words.
    """
    found = APPLICATIONS.open(session, application)
    made = open_merchant(session, keys, found.firm, terms, at=at)
    login, name = found.owner.login, found.owner.name or ""
    user = MerchantUser(owner, made.id, login, name, MemberRole.OWNER, at)
    add_user(session, user, found.owner.enrolment)
    APPLICATIONS.note_approved(session, application, at=at)
    return made
