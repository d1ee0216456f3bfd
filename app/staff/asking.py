"""Asking for a change among the clerks (人员变更申请): what the second signature will be shown."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlmodel import Session

from app.kernel.ids import public_id
from app.kernel.scopes import Role
from app.staff import deeds
from app.staff.approvals import Approval, Asking, ask
from app.staff.clerks import allowed_roles, find_clerk, refuse_taken, signing_scope


def ask_admission(
    session: Session,
    asking: Asking,
    clerk: UUID,
    login: str,
    roles: Iterable[Role],
    facts: Mapping[str, str],
) -> Approval:
    """Ask for the admission of a clerk; ``facts`` are name, organisation and enrolment hash.

    Raises:
        RolesConflict, LoginTaken, ApprovalOpen: See their own words.
    """
    given = allowed_roles(roles)
    refuse_taken(session, login)
    payload = {"clerk": public_id("clk", clerk), "login": login, "roles": sorted(given), **facts}
    return ask(session, asking, deeds.ADMIT, login, payload, scope=signing_scope(given))


def ask_change(
    session: Session,
    asking: Asking,
    clerk: UUID | None,
    act: str,
    *,
    roles: Iterable[Role] | None = None,
    enrolment: str | None = None,
) -> Approval:
    """Ask for other roles, the suspension or the reset of a clerk.

    The request names the roles of now: if they change meanwhile, nobody signs for a clerk whom
    their scope does not reach any more.

    Raises:
        ClerkUnknown, RolesConflict, ApprovalOpen: See their own words.
    """
    found = find_clerk(session, clerk)
    touched = found.roles
    payload: dict[str, object] = {"clerk": found.public, "was": sorted(found.roles)}
    if roles is not None:
        given = allowed_roles(roles)
        touched, payload["roles"] = touched | given, sorted(given)
    if enrolment is not None:
        payload["enrolment"] = enrolment
    return ask(session, asking, act, found.public, payload, scope=signing_scope(touched))
