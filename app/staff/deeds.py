"""What a second signature sets in motion at the desk itself (办事台自身的复核事项)."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.ids import parse_public_id
from app.kernel.scopes import Role, Scope, scopes_of
from app.kernel.tokens import Principal
from app.sessions import close_all
from app.staff.approvals import Deed, Payload, Signing
from app.staff.clerks import (
    Clerk,
    add_clerk,
    change_roles,
    find_clerk,
    lock_clerk,
    reset_clerk,
    suspend_clerk,
)
from app.staff.errors import ClerkUnknown

ADMIT: Final = "staff.admit"
ROLES: Final = "staff.roles"
SUSPEND: Final = "staff.suspend"
RESET: Final = "staff.reset"


def clerk_scopes(session: Session, who: Principal) -> frozenset[Scope]:
    """Give what a clerk may do at this moment; nothing if suspended or not there."""
    try:
        clerk = find_clerk(session, who.id)
    except ClerkUnknown:
        return frozenset()
    return scopes_of(clerk.roles) if clerk.suspended_at is None else frozenset()


def principal_of(clerk: Clerk) -> Principal:
    """Give a clerk as their access token will name them."""
    return Principal("clerk", clerk.id, scopes_of(clerk.roles))


def admit(session: Session, payload: Payload, signing: Signing) -> None:
    """Admit a clerk."""
    clerk = Clerk(
        _id(payload),
        payload["login"],
        payload["name"],
        payload["organisation"],
        _roles(payload, "roles"),
        signing.at,
    )
    add_clerk(session, clerk, bytes.fromhex(payload["enrolment"]))


def give_roles(session: Session, payload: Payload, _signing: Signing) -> None:
    """Give a clerk other roles."""
    roles = _roles(payload, "roles")
    change_roles(session, _id(payload), roles, was=_roles(payload, "was"))


def suspend(session: Session, payload: Payload, signing: Signing) -> None:
    """Suspend a clerk, and end their sessions."""
    clerk = lock_clerk(session, _id(payload), was=_roles(payload, "was"))
    suspend_clerk(session, clerk.id, at=signing.at)
    close_all(session, principal_of(clerk), at=signing.at)


def reset(session: Session, payload: Payload, signing: Signing) -> None:
    """Let a clerk enrol anew, and end their sessions."""
    clerk = lock_clerk(session, _id(payload), was=_roles(payload, "was"))
    reset_clerk(session, clerk.id, bytes.fromhex(payload["enrolment"]), at=signing.at)
    close_all(session, principal_of(clerk), at=signing.at)


def _id(payload: Payload) -> UUID:
    found = parse_public_id("clk", payload["clerk"])
    assert found is not None, payload
    return found


def _roles(payload: Payload, name: str) -> frozenset[Role]:
    return frozenset(map(Role, payload[name]))


DEEDS: Final[Mapping[str, Deed]] = {
    ADMIT: admit,
    ROLES: give_roles,
    SUSPEND: suspend,
    RESET: reset,
}
