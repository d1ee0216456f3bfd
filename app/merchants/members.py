"""Who asks for a merchant (商户身份)."""

from typing import Annotated, NamedTuple
from uuid import UUID

from app.firms import standing
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.merchants.people import PEOPLE


class Member(NamedTuple):
    """Somebody who works for a merchant, and which."""

    who: Principal
    merchant: UUID


def console(scope: Scope) -> object:
    """Ask for somebody of a merchant with this scope; stands behind ``Member``."""
    return standing(PEOPLE, scope, Member)


Owner = Annotated[Member, console(Scope.MERCHANT_MANAGE)]
"""An owner of a merchant."""
