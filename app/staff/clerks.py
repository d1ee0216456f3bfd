"""Clerks (工作人员): who works at the desk, in which roles, and how they come to be one.

Whoever is to be a clerk makes an enrolment secret and gives its hash to the one who asks for the
admission. So nobody but the clerk ever holds what opens the clerk's login: neither the one who
asks nor the one who signs could act in a second name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.scopes import Role, Scope
from app.kernel.tokens import PREFIXES
from app.staff.errors import ClerkChanged, ClerkUnknown, LoginTaken, RolesConflict
from app.staff.roll import Roll

LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,39}")
DESK: Final = frozenset({Role.OPERATOR, Role.REGULATOR, Role.EXPERT, Role.VERIFIER})
OVERSEERS: Final = frozenset({Role.REGULATOR, Role.VERIFIER})
CLERKS: Final = Roll(
    "clerk",
    "clerk",
    "clerk_credential",
    standing="p.suspended_at is null",
    enrolled="staff.enrol",
)
"""How clerks come in."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """A person of the operator, the regulator, a verifier, or an expert (工作人员)."""

    id: UUID
    login: str
    name: str
    organisation: str
    roles: frozenset[Role]
    opened_at: datetime
    suspended_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id, as tokens and records name them."""
        return public_id(PREFIXES["clerk"], self.id)


_COLUMNS: Final = "id, login, name, organisation, roles, opened_at, suspended_at"
_ADD: Final = """
insert into clerk (id, login, name, organisation, roles, opened_at)
values (%s, %s, %s, %s, %s, %s) on conflict (login) do nothing"""
_FIND: Final = f"select {_COLUMNS} from clerk where id = %s"  # noqa: S608 -- columns of our own
_LOCK: Final = f"{_FIND} for update"
_NAMED: Final = f"select {_COLUMNS} from clerk where login = %s"  # noqa: S608 -- likewise
_LIST: Final = f"""
select {_COLUMNS} from clerk where (%s::uuid is null or id > %s) order by id limit %s"""  # noqa: S608 -- likewise
_ROLES: Final = "update clerk set roles = %s where id = %s"
_SUSPEND: Final = "update clerk set suspended_at = coalesce(suspended_at, %s) where id = %s"
_RETURN: Final = "update clerk set suspended_at = null where id = %s"


def allowed_roles(roles: Iterable[Role]) -> frozenset[Role]:
    """Give roles that one clerk may have.

    Raises:
        RolesConflict: None, one not of the desk, or the operator's beside one that oversees it.
    """
    given = frozenset(roles)
    if not given or not given <= DESK or (Role.OPERATOR in given and given & OVERSEERS):
        raise RolesConflict
    return given


def signing_scope(roles: Iterable[Role]) -> Scope:
    """Give what signs for clerks with these roles: overseers are never the operator's to make.

    >>> signing_scope([Role.EXPERT]).value, signing_scope([Role.EXPERT, Role.VERIFIER]).value
    ('staff.manage', 'oversight.manage')
    """
    return Scope.OVERSIGHT_MANAGE if OVERSEERS & frozenset(roles) else Scope.STAFF_MANAGE


def add_clerk(session: Session, clerk: Clerk, enrolment: bytes) -> None:
    """Admit a clerk, who enrols by the secret of this hash.

    Raises:
        LoginTaken: The login is another's.
    """
    row = (clerk.id, clerk.login, clerk.name, clerk.organisation, _words(clerk.roles))
    if driver(session).execute(_ADD, (*row, clerk.opened_at)).rowcount == 0:
        raise LoginTaken(login=clerk.login)
    CLERKS.await_enrolment(session, clerk.id, enrolment, at=clerk.opened_at)


def change_roles(
    session: Session, clerk: UUID, roles: frozenset[Role], *, was: frozenset[Role]
) -> None:
    """Give a clerk other roles, of which their next access token tells.

    Raises:
        ClerkUnknown, ClerkChanged: There is none, or none with these roles any more.
    """
    lock_clerk(session, clerk, was=was)
    driver(session).execute(_ROLES, (_words(roles), clerk))


def suspend_clerk(session: Session, clerk: UUID, *, at: datetime) -> None:
    """Let a clerk log in no more. Idempotent."""
    driver(session).execute(_SUSPEND, (at, clerk))


def reset_clerk(session: Session, clerk: UUID, enrolment: bytes, *, at: datetime) -> None:
    """Forget a clerk's password and TOTP; they enrol anew, and work again if suspended."""
    driver(session).execute(_RETURN, (clerk,))
    CLERKS.await_enrolment(session, clerk, enrolment, at=at)


def find_clerk(session: Session, clerk: UUID | None) -> Clerk:
    """Give a clerk.

    Raises:
        ClerkUnknown: There is none.
    """
    row = None if clerk is None else driver(session).execute(_FIND, (clerk,)).fetchone()
    return _clerk(row)


def lock_clerk(session: Session, clerk: UUID, *, was: frozenset[Role]) -> Clerk:
    """Give a clerk as long as this transaction lasts.

    Raises:
        ClerkUnknown: There is none.
        ClerkChanged: Their roles are not those of which something was asked.
    """
    found = _clerk(driver(session).execute(_LOCK, (clerk,)).fetchone())
    if found.roles != was:
        raise ClerkChanged(clerk=found.public)
    return found


def refuse_taken(session: Session, login: str) -> None:
    """Pass a login that nobody has.

    Raises:
        LoginTaken: Somebody has it.
    """
    if driver(session).execute(_NAMED, (login,)).rowcount > 0:
        raise LoginTaken(login=login)


def clerk_named(session: Session, login: str) -> Clerk:
    """Give the clerk with this login.

    Raises:
        ClerkUnknown: There is none.
    """
    return _clerk(driver(session).execute(_NAMED, (login,)).fetchone())


def clerks(session: Session, *, after: UUID | None, limit: int) -> list[Clerk]:
    """List clerks in the order of their admission."""
    rows = driver(session).execute(_LIST, (after, after, limit)).fetchall()
    return [_clerk(row) for row in rows]


def _words(roles: Iterable[Role]) -> list[str]:
    return sorted(role.value for role in roles)


def _clerk(row: tuple[Any, ...] | None) -> Clerk:
    if row is None:
        raise ClerkUnknown
    id_, login, name, organisation, roles, opened_at, suspended_at = row
    held = frozenset(Role(word) for word in roles)
    return Clerk(id_, login, name, organisation, held, opened_at, suspended_at)
