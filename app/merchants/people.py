"""A merchant's people (商户人员): owners, who keep its affairs, and keepers, who open its tills."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.scopes import SCOPES, Role, Scope
from app.kernel.tokens import PREFIXES, Principal
from app.merchants.errors import MembersMany, MemberUnknown
from app.sessions import close_all
from app.staff import note_act
from app.staff.errors import LoginRefused, LoginTaken
from app.staff.roll import Attempt, Roll

USERS_MAX: Final = 200
"""Of one merchant, suspended ones too."""


class MemberRole(StrEnum):
    """What somebody does for a merchant."""

    OWNER = "owner"
    KEEPER = "keeper"


ROLES: Final = {
    MemberRole.OWNER: Role.MERCHANT_OWNER,
    MemberRole.KEEPER: Role.MERCHANT_KEEPER,
}
MEMBERS: Final = Roll(
    "merchant",
    "merchant_user",
    "merchant_credential",
    standing="""p.suspended_at is null
   and exists (select from merchant m where m.id = p.merchant and m.suspended_at is null)""",
    enrolled="merchants.enrol",
)
"""How a merchant's people come in: not while they or the merchant are suspended."""


@dataclass(frozen=True, slots=True)
class MerchantUser:
    """Somebody who works for a merchant (商户人员)."""

    id: UUID
    merchant: UUID
    login: str
    name: str
    role: MemberRole
    opened_at: datetime
    suspended_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id, as tokens and records name them."""
        return public_id(PREFIXES["merchant"], self.id)


_COLUMNS: Final = "u.id, u.merchant, u.login, u.name, u.role, u.opened_at, u.suspended_at"
_LOCK: Final = "select from merchant where id = %s for no key update"
_COUNT: Final = "select count(*) from merchant_user where merchant = %s"
_ADD: Final = """
insert into merchant_user (id, merchant, login, name, role, opened_at)
values (%s, %s, %s, %s, %s, %s) on conflict (login) do nothing"""
_NAMED: Final = "select from merchant_user where login = %s"
_FIND: Final = f"select {_COLUMNS} from merchant_user u where u.merchant = %s and u.id = %s"  # noqa: S608 -- columns of our own
_ANY: Final = f"select {_COLUMNS} from merchant_user u where u.id = %s"  # noqa: S608 -- likewise
_LIST: Final = f"""
select {_COLUMNS} from merchant_user u
 where u.merchant = %s and (%s::uuid is null or u.id > %s) order by u.id limit %s"""  # noqa: S608 -- likewise
_STANDING: Final = f"""
select {_COLUMNS}, m.account from merchant_user u join merchant m on m.id = u.merchant
 where u.id = %s and u.suspended_at is null and m.suspended_at is null"""  # noqa: S608 -- likewise
_ACCOUNT: Final = "select account from merchant where id = %s"
_SUSPEND: Final = "update merchant_user set suspended_at = coalesce(suspended_at, %s) where id = %s"
_RETURN: Final = "update merchant_user set suspended_at = null where id = %s"
_END_SHIFTS: Final = """
update till set shift = null, keeper = null, shift_ends_at = null where keeper = %s"""


def add_user(session: Session, user: MerchantUser, enrolment: bytes) -> None:
    """Take somebody in, who enrols by the secret of this hash.

    Raises:
        LoginTaken: The login is another's, of any merchant.
        MembersMany: There are ``USERS_MAX``.
    """
    connection = driver(session)
    connection.execute(_LOCK, (user.merchant,))
    counted = connection.execute(_COUNT, (user.merchant,)).fetchone()
    if counted is not None and counted[0] >= USERS_MAX:
        raise MembersMany(most=USERS_MAX)
    row = (user.id, user.merchant, user.login, user.name, user.role.value, user.opened_at)
    if connection.execute(_ADD, row).rowcount == 0:
        raise LoginTaken(login=user.login)
    MEMBERS.await_enrolment(session, user.id, enrolment, at=user.opened_at)


def refuse_taken(session: Session, login: str) -> None:
    """Pass a login that nobody of any merchant has.

    Raises:
        LoginTaken: Somebody has it.
    """
    if driver(session).execute(_NAMED, (login,)).rowcount > 0:
        raise LoginTaken(login=login)


def suspend_user(session: Session, user: MerchantUser, *, at: datetime) -> None:
    """Let somebody log in no more, and end their sessions and shifts. Idempotent."""
    driver(session).execute(_SUSPEND, (at, user.id))
    end_all(session, user, at=at)


def reset_user(session: Session, user: MerchantUser, enrolment: bytes, *, at: datetime) -> None:
    """Forget password and TOTP; they enrol anew, and work again if suspended."""
    driver(session).execute(_RETURN, (user.id,))
    MEMBERS.await_enrolment(session, user.id, enrolment, at=at)
    end_all(session, user, at=at)


def end_all(session: Session, user: MerchantUser, *, at: datetime) -> None:
    """End somebody's sessions and shifts. Idempotent."""
    driver(session).execute(_END_SHIFTS, (user.id,))
    owner = _owner_of(session, user)
    close_all(session, Principal("merchant", user.id, frozenset(), owner), at=at)


def find_user(session: Session, merchant: UUID, user: UUID | None) -> MerchantUser:
    """Give somebody of one merchant.

    Raises:
        MemberUnknown: It has nobody with this id.
    """
    row = None if user is None else driver(session).execute(_FIND, (merchant, user)).fetchone()
    if row is None:
        raise MemberUnknown
    return _user(row)


def users(
    session: Session, merchant: UUID, *, after: UUID | None, limit: int
) -> Sequence[MerchantUser]:
    """List a merchant's people, suspended ones too, in the order in which they came."""
    rows = driver(session).execute(_LIST, (merchant, after, after, limit)).fetchall()
    return [_user(row) for row in rows]


def standing_user(session: Session, user: UUID) -> tuple[MerchantUser, Principal] | None:
    """Give somebody with their rights of this moment; nothing if they or theirs are suspended."""
    row = driver(session).execute(_STANDING, (user,)).fetchone()
    if row is None:
        return None
    *columns, owner = row
    found = _user(tuple(columns))
    return found, Principal("merchant", found.id, SCOPES[ROLES[found.role]], owner)


def merchant_scopes(session: Session, who: Principal) -> frozenset[Scope]:
    """Give what the holder of a merchant's session may do at this moment."""
    found = standing_user(session, who.id)
    return frozenset() if found is None else found[1].scopes


def log_in(session: Session, attempt: Attempt, step: int, *, at: datetime) -> Principal:
    """Let somebody in whose try was right; the code is used up with it.

    Raises:
        LoginRefused: The code was used before, or they were reset or suspended meanwhile.
    """
    MEMBERS.use_code(session, attempt, step)
    found = standing_user(session, attempt.person)
    if found is None:
        raise LoginRefused
    _, who = found
    note_act(session, who.name, "merchants.log_in", who.name, at=at)
    return who


def _owner_of(session: Session, user: MerchantUser) -> int:
    row = driver(session).execute(_ACCOUNT, (user.merchant,)).fetchone()
    assert row is not None, user
    return row[0]


def _user(row: tuple[Any, ...]) -> MerchantUser:
    id_, merchant, login, name, role, opened_at, suspended_at = row
    return MerchantUser(id_, merchant, login, name, MemberRole(role), opened_at, suspended_at)
