"""Who asks for a merchant (商户身份): its standing and theirs, asked at every request.

A token lives ten minutes; a suspension does not wait for it.
"""

from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends

from app.kernel.auth import desk
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.merchants.errors import MerchantSuspended
from app.merchants.people import standing_user


class Member(NamedTuple):
    """Somebody who works for a merchant, and which."""

    who: Principal
    merchant: UUID


def console(scope: Scope) -> object:
    """Ask for somebody of a merchant with this scope; stands behind ``Member``."""

    def check(who: Annotated[Principal, desk(scope)], db: Db) -> Member:
        """Give who asks, once they and their merchant may.

        Raises:
            MerchantSuspended: One of the two is suspended, or no longer has the scope.
        """
        found = db.read(standing_user, who.id)
        if found is None or scope not in found[1].scopes:
            raise MerchantSuspended
        return Member(found[1], found[0].merchant)

    return Depends(check)


Owner = Annotated[Member, console(Scope.MERCHANT_MANAGE)]
"""An owner of a merchant."""
