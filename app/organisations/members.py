"""Who asks for an organisation (机构身份)."""

from typing import Annotated, NamedTuple
from uuid import UUID

from app.firms import standing
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.organisations.people import PEOPLE


class OrganisationMember(NamedTuple):
    """Somebody who works for an organisation, and which; ``who.owner`` holds what it has."""

    who: Principal
    organisation: UUID


def member(scope: Scope) -> object:
    """Ask for somebody of an organisation with this scope; behind ``OrganisationMember``."""
    return standing(PEOPLE, scope, OrganisationMember)


Owner = Annotated[OrganisationMember, member(Scope.ORGANISATION_MANAGE)]
"""An owner of an organisation."""
