"""Who may cancel (注销人): a citizen, or somebody of an organisation that stands."""

from typing import Annotated, NamedTuple

from fastapi import Depends

from app.kernel.auth import desk
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.organisations.errors import REFUSALS
from app.organisations.people import PEOPLE
from app.organisations.registry import SORT


class CancellingHolder(NamedTuple):
    """Who asks, and whose reductions they are."""

    who: Principal
    name: str
    """Public id of the citizen, or of the organisation."""


def _standing(who: Annotated[Principal, desk(Scope.REDUCTIONS_CANCEL)], db: Db) -> CancellingHolder:
    """Give who asks; a suspension of an organisation does not wait for the token's end.

    Raises:
        Refusal: They, or their organisation, are suspended.
    """
    if who.kind != "organisation":
        return CancellingHolder(who, who.name)
    found = db.read(PEOPLE.standing, who.id)
    if found is None or Scope.REDUCTIONS_CANCEL not in found[1].scopes:
        raise REFUSALS.suspended
    return CancellingHolder(found[1], SORT.named(found[0].firm))


Holder = Annotated[CancellingHolder, Depends(_standing)]
"""Whoever may cancel; every statement has their bucket and owner in its WHERE."""
