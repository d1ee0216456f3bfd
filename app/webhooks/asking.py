"""Who asks about endpoints (身份): an owner of a merchant or organisation, a machine, a clerk."""

from typing import Annotated, NamedTuple

from fastapi import Depends

from app.firms import stands
from app.kernel.auth import ScopeMissing, desk
from app.kernel.db import Database
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.merchants.people import PEOPLE as MERCHANTS
from app.organisations.people import PEOPLE as ORGANISATIONS
from app.partners.registry import find_partner
from app.webhooks.rules import OPERATOR, merchant_owner, organisation_owner, partner_owner


class Asker(NamedTuple):
    """Somebody, and whose endpoints are theirs to manage."""

    who: Principal
    owner: str


def whose(who: Annotated[Principal, desk(Scope.WEBHOOKS_MANAGE)], db: Db) -> Asker:
    """Give who asks, once they may at this moment: a token outlives a suspension by minutes.

    Raises:
        MerchantSuspended, OrganisationSuspended, ScopeMissing: See their own words.
    """
    if who.kind == "merchant":
        return Asker(who, _of_merchant(db, who))
    if who.kind == "organisation":
        return Asker(who, _of_organisation(db, who))
    if who.kind == "partner":
        if db.read(find_partner, who.id).suspended_at is not None:
            raise ScopeMissing(needed=Scope.WEBHOOKS_MANAGE)
        return Asker(who, partner_owner(who.id))
    return Asker(who, OPERATOR)


def _of_merchant(db: Database, who: Principal) -> str:
    return merchant_owner(stands(MERCHANTS, Scope.WEBHOOKS_MANAGE, who, db)[1])


def _of_organisation(db: Database, who: Principal) -> str:
    return organisation_owner(stands(ORGANISATIONS, Scope.WEBHOOKS_MANAGE, who, db)[1])


Manager = Annotated[Asker, Depends(whose)]
"""Who manages endpoints; every statement has their owner in its WHERE."""
