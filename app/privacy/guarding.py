"""Who may stand for whom (监护规则): a grown-up for a child under 14, and what ending it ends."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from app.citizens import Citizen
from app.citizens.age import is_adult, is_child
from app.citizens.errors import GuardianshipUnknown
from app.citizens.guardians import (
    Guardianship,
    become_guardian,
    end_guardianship,
    guardian_of,
    offer_code,
    wards_of,
)
from app.kernel.clock import day_of
from app.kernel.secrets import Keys
from app.privacy.consenting import birth_date_of, refuse_leaving
from app.privacy.errors import GuardianNotAdult, GuardianNotNeeded


def ask_guardian(
    session: Session, keys: Keys, child: Citizen, code: str, *, at: datetime
) -> datetime:
    """Let a guardian be named by this code; gives until when.

    Raises:
        GuardianNotNeeded, GuardianHeld, ErasureUnderWay: See their own words.
    """
    refuse_leaving(session, child)
    if not is_child(birth_date_of(session, keys, child), day_of(at)):
        raise GuardianNotNeeded
    return offer_code(session, keys, child, code, at=at)


def stand_for(
    session: Session, keys: Keys, guardian: Citizen, code: str, *, named: UUID, at: datetime
) -> Guardianship:
    """Consent, by one's own login, for the child who shows the code.

    Raises:
        GuardianNotAdult, WardCodeUnknown, GuardianSelf, GuardianHeld, ErasureUnderWay: See their
        own words.
    """
    refuse_leaving(session, guardian)
    if not is_adult(birth_date_of(session, keys, guardian), day_of(at)):
        raise GuardianNotAdult
    return become_guardian(session, keys, guardian, code, named=named, at=at)


def step_back(session: Session, keys: Keys, citizen: Citizen, which: UUID, *, at: datetime) -> None:
    """End a guardianship from either side; a child's consents end with it, a grown person's do not.

    Raises:
        GuardianshipUnknown: They have no such guardianship.
    """
    pair = next((each for each in _pairs(session, citizen) if each.id == which), None)
    if pair is None:
        raise GuardianshipUnknown
    _end(session, keys, citizen, pair, at)


def step_back_from_all(session: Session, keys: Keys, citizen: Citizen, *, at: datetime) -> None:
    """End every guardianship of somebody who leaves."""
    for pair in _pairs(session, citizen):
        _end(session, keys, citizen, pair, at)


def _pairs(session: Session, citizen: Citizen) -> list[Guardianship]:
    guardian = guardian_of(session, citizen)
    return [*wards_of(session, citizen), *([] if guardian is None else [guardian])]


def _end(session: Session, keys: Keys, citizen: Citizen, pair: Guardianship, at: datetime) -> None:
    child = pair.other if pair.is_guardian else citizen
    closing = is_child(birth_date_of(session, keys, child), day_of(at))
    end_guardianship(session, citizen, pair, closing=closing, at=at)
