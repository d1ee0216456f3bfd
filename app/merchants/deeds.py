"""What of a merchant needs two people of the desk (商户的复核事项).

Whoever is a merchant is paid; so one clerk alone makes none, changes no terms, gives no login back
and lets no suspended one in again. Suspending pays nobody, and must not wait: one is enough.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.ids import parse_public_id
from app.kernel.tokens import PREFIXES, Principal
from app.merchants.applications import approve, refuse
from app.merchants.people import USERS_MAX, end_all, find_user, reset_user, users
from app.merchants.registry import (
    PREFIX,
    Terms,
    change_terms,
    find_merchant,
    resume_merchant,
    suspend_merchant,
)
from app.merchants.shifts import end_shifts
from app.staff import Deed, Signing, note_act
from app.staff.approvals import Payload

APPROVE: Final = "merchants.approve"
REFUSE: Final = "merchants.refuse"
TERMS: Final = "merchants.terms"
RESUME: Final = "merchants.resume"
RESET: Final = "merchants.reset"


class Reasoned(NamedTuple):
    """Who of the desk acts, and why."""

    who: Principal
    reason: str


def suspend(session: Session, by: Reasoned, merchant: UUID | None, *, at: datetime) -> None:
    """Stop a merchant's logins, sessions, shifts and sales at once. Idempotent.

    Raises:
        MerchantUnknown: There is none.
    """
    found = find_merchant(session, merchant)
    if not suspend_merchant(session, found.id, at=at):
        return
    end_shifts(session, found.id)
    for each in users(session, found.id, after=None, limit=USERS_MAX):
        end_all(session, each, at=at)
    note_act(session, by.who.name, "merchants.suspend", found.public, at=at, reason=by.reason)


def _approve(session: Session, payload: Payload, signing: Signing) -> None:
    assert signing.keys is not None, "an owner in the books needs a sealed secret"
    owner = _id(PREFIXES["merchant"], payload["owner"])
    application = _id(PREFIX, payload["merchant"])
    approve(session, signing.keys, application, terms_in(payload), owner=owner, at=signing.at)


def _refuse(session: Session, payload: Payload, signing: Signing) -> None:
    refuse(session, _id(PREFIX, payload["merchant"]), at=signing.at)


def _change_terms(session: Session, payload: Payload, _signing: Signing) -> None:
    change_terms(session, _id(PREFIX, payload["merchant"]), terms_in(payload))


def _resume(session: Session, payload: Payload, _signing: Signing) -> None:
    resume_merchant(session, _id(PREFIX, payload["merchant"]))


def _reset(session: Session, payload: Payload, signing: Signing) -> None:
    merchant = _id(PREFIX, payload["merchant"])
    user = find_user(session, merchant, _id(PREFIXES["merchant"], payload["user"]))
    reset_user(session, user, bytes.fromhex(payload["enrolment"]), at=signing.at)


def terms_in(payload: Payload) -> Terms:
    """Read the terms that a request names."""
    return Terms(int(payload["fee_permille"]), int(payload["offline_cap_points"]))


def _id(prefix: str, text: str) -> UUID:
    found = parse_public_id(prefix, text)
    assert found is not None, text
    return found


DEEDS: Final[Mapping[str, Deed]] = {
    APPROVE: _approve,
    REFUSE: _refuse,
    TERMS: _change_terms,
    RESUME: _resume,
    RESET: _reset,
}
