"""Who asks for a firm (单位身份): its standing and theirs, asked at every request.

A token lives ten minutes; a suspension does not wait for it.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends

from app.firms.people import FirmUser, People
from app.kernel.auth import desk
from app.kernel.db import Database
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db

UserT = TypeVar("UserT", bound=FirmUser)
MemberT = TypeVar("MemberT")


def stands(
    people: People[UserT], scope: Scope, who: Principal, db: Database
) -> tuple[Principal, UUID]:
    """Give somebody with their rights of this moment, and their firm.

    Raises:
        Refusal: ``suspended``; one of the two is, or no longer has the scope.
    """
    found = db.read(people.standing, who.id)
    if found is None or scope not in found[1].scopes:
        raise people.sort.refusals.suspended
    return found[1], found[0].firm


def standing(
    people: People[UserT], scope: Scope, make: Callable[[Principal, UUID], MemberT]
) -> object:
    """Ask for somebody of a firm with this scope; stands behind what ``make`` gives."""

    def check(who: Annotated[Principal, desk(scope)], db: Db) -> MemberT:
        """Give who asks, once they and their firm may.

        Raises:
            Refusal: ``suspended``; one of the two is, or no longer has the scope.
        """
        return make(*stands(people, scope, who, db))

    return Depends(check)
