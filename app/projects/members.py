"""Who owns projects (项目业主): a citizen, or somebody who stands for an organisation."""

from typing import Annotated

from fastapi import Depends

from app.firms import stands
from app.kernel.auth import desk
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.organisations.people import PEOPLE


def _owner(who: Annotated[Principal, desk(Scope.PROJECTS_MANAGE)], db: Db) -> Principal:
    """Give who asks; every statement has their bucket and owner in its WHERE.

    Raises:
        OrganisationSuspended: See its own words.
    """
    return stands(PEOPLE, Scope.PROJECTS_MANAGE, who, db)[0] if who.kind != "citizen" else who


Owner = Annotated[Principal, Depends(_owner)]
"""A citizen or an organisation, as the owner of projects."""
