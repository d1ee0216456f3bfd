"""A person's profile and settings (个人资料): read and changed by their owner alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.citizens import Citizen
from app.citizens.age import is_child, is_possible
from app.citizens.choices import Choices, choices_of, choose
from app.citizens.consents import close_consents
from app.citizens.errors import CitizenUnknown
from app.citizens.guardians import Guardianship, guardian_of
from app.citizens.personal import open_personal, seal_personal
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.privacy.consenting import BIRTH_DATE, refuse_leaving
from app.privacy.errors import BirthDateFixed, BirthDateImpossible

DISPLAY_NAME: Final = "display_name"
_SUBJECT: Final = "select public_id, opened_at from subject where bucket = %s and account = %s"
_ERASURE: Final = "select stage from erasure where bucket = %s and account = %s"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a citizen is shown of themselves."""

    id: UUID
    joined_at: datetime
    display_name: str | None
    birth_date: date | None
    is_child: bool
    guardian: Guardianship | None
    choices: Choices
    erasure: str | None
    """The stage of their erasure, once they asked for it."""


def profile_of(session: Session, keys: Keys, citizen: Citizen, *, at: datetime) -> Profile:
    """Give somebody's profile.

    Raises:
        CitizenUnknown: They were erased.
    """
    connection, owner = driver(session), (citizen.bucket, citizen.number)
    row = connection.execute(_SUBJECT, owner).fetchone()
    if row is None:
        raise CitizenUnknown
    fields = open_personal(keys, connection, citizen)
    born = date.fromisoformat(fields[BIRTH_DATE]) if BIRTH_DATE in fields else None
    leaving = connection.execute(_ERASURE, owner).fetchone()
    return Profile(
        id=row[0],
        joined_at=row[1],
        display_name=fields.get(DISPLAY_NAME),
        birth_date=born,
        is_child=is_child(born, day_of(at)),
        guardian=guardian_of(session, citizen),
        choices=choices_of(session, citizen),
        erasure=None if leaving is None else leaving[0],
    )


def change_profile(
    session: Session, keys: Keys, citizen: Citizen, changes: Mapping[str, Any], *, at: datetime
) -> None:
    """Change the fields and settings that ``changes`` names; ``None`` takes one back.

    Whoever turns out to be a child had said otherwise when they consented: those consents end.

    Raises:
        BirthDateFixed, BirthDateImpossible, ErasureUnderWay: See their own words.
    """
    refuse_leaving(session, citizen)
    chosen = {name: changes[name] for name in ("automatic_exchange", "language") if name in changes}
    if chosen:
        choose(session, citizen, replace(choices_of(session, citizen), **chosen))
    if {DISPLAY_NAME, BIRTH_DATE} & changes.keys():
        _change_personal(session, keys, citizen, changes, at)


def _change_personal(
    session: Session, keys: Keys, citizen: Citizen, changes: Mapping[str, Any], at: datetime
) -> None:
    connection = driver(session)
    fields = open_personal(keys, connection, citizen, locking=True)
    if BIRTH_DATE in changes:
        born: date = changes[BIRTH_DATE]
        if not is_possible(born, day_of(at)):
            raise BirthDateImpossible
        if fields.setdefault(BIRTH_DATE, born.isoformat()) != born.isoformat():
            raise BirthDateFixed
        if is_child(born, day_of(at)) and guardian_of(session, citizen) is None:
            close_consents(session, citizen, at=at)
    if DISPLAY_NAME in changes:
        fields[DISPLAY_NAME] = changes[DISPLAY_NAME]
    kept = {name: value for name, value in fields.items() if value is not None}
    seal_personal(keys, connection, citizen, kept)
