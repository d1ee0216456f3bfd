"""A merchant's people (商户人员): owners, who keep its affairs, and keepers, who open its tills."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Literal
from uuid import UUID

from sqlmodel import Session

from app.firms import FirmUser, People
from app.kernel.db import driver
from app.kernel.scopes import Role
from app.merchants.registry import SORT


class MemberRole(StrEnum):
    """What somebody does for a merchant."""

    OWNER = "owner"
    KEEPER = "keeper"


@dataclass(frozen=True, slots=True)
class MerchantUser(FirmUser):
    """Somebody who works for a merchant (商户人员)."""

    kind: ClassVar[Literal["merchant"]] = "merchant"
    role: MemberRole


ROLES: Final[Mapping[str, Role]] = {
    MemberRole.OWNER: Role.MERCHANT_OWNER,
    MemberRole.KEEPER: Role.MERCHANT_KEEPER,
}
_END_SHIFTS: Final = """
update till set shift = null, keeper = null, shift_ends_at = null where keeper = %s"""


def _end_shifts(session: Session, user: UUID) -> None:
    driver(session).execute(_END_SHIFTS, (user,))


def _user(  # noqa: PLR0917 -- the columns of the statements
    id_: UUID,
    merchant: UUID,
    login: str,
    name: str,
    role: str,
    opened_at: datetime,
    suspended_at: datetime | None,
) -> MerchantUser:
    return MerchantUser(id_, merchant, login, name, MemberRole(role), opened_at, suspended_at)


PEOPLE: Final = People(SORT, ROLES, _user, leave=_end_shifts)
MEMBERS: Final = PEOPLE.roll
add_user, suspend_user, log_in = PEOPLE.add, PEOPLE.suspend, PEOPLE.log_in
merchant_scopes = PEOPLE.scopes
