"""Consents as a person decides them (授权管理): for one provider, all at once, taken back alike.

What is put is what holds from now on: scenes that are not named end, and so does the consent for
whereabouts unless it is given in so many words. Acts count within the intervals that this leaves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session

from app.catalogue import library
from app.citizens import (
    WHEREABOUTS,
    Citizen,
    give_consent,
    link_instrument,
    lock_citizen,
    scenes_of,
    unlink_instrument,
    withdraw_consent,
)
from app.citizens.age import is_child
from app.citizens.consents import Interval, consents_of, links_of
from app.citizens.guardians import guardian_of
from app.citizens.personal import open_personal
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.privacy.errors import ErasureUnderWay, GuardianNeeded, SceneUnknown
from app.providers import Provider, ProviderSuspended, find_provider

BIRTH_DATE: Final = "birth_date"
_LEAVING: Final = "select 1 from erasure where bucket = %s and account = %s"
_PROVIDERS: Final = """
select id, code, name_zh, name_en, suspended_at from provider where id = any(%s)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person consents to at one provider from now on."""

    scenes: Collection[str]
    whereabouts: bool
    instruments: Sequence[str] | None
    """Card, meter or account numbers that are theirs there; ``None`` leaves the links alone."""
    at_least_14: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a person ever consented to at one provider."""

    provider: Provider
    consents: Sequence[Interval]
    links: Sequence[Interval]


def put_consents(
    session: Session, keys: Keys, citizen: Citizen, code: str, wanted: Wanted, *, at: datetime
) -> None:
    """Make what somebody consents to at a provider exactly ``wanted``. Idempotent.

    Raises:
        ProviderUnknown, ProviderSuspended, SceneUnknown, GuardianNeeded, ErasureUnderWay,
        InstrumentTaken: See their own words. Nothing is changed then.
    """
    refuse_leaving(session, citizen)
    provider = find_provider(session, code)
    scenes = {*wanted.scenes, *([WHEREABOUTS] if wanted.whereabouts else [])}
    if scenes:
        _may_consent(session, keys, citizen, wanted, at)
        if provider.suspended_at is not None and provider.suspended_at <= at:
            raise ProviderSuspended(provider=code)
        if unknown := set(wanted.scenes) - set(known_scenes(session)):
            raise SceneUnknown(scene=min(unknown))
    held = {each.what for each in _open(consents_of(session, citizen), provider)}
    for scene in sorted(held - scenes):
        withdraw_consent(session, citizen, provider.id, scene, at=at)
    for scene in sorted(scenes - held):
        give_consent(session, citizen, provider.id, scene, at=at, basis="self")
    if wanted.instruments is not None:
        _put_links(session, keys, citizen, provider, wanted.instruments, at)


def withdraw_all(session: Session, citizen: Citizen, code: str, *, at: datetime) -> None:
    """Take back everything from a provider, links as well. Idempotent, and never refused.

    Raises:
        ProviderUnknown: There is no such provider.
    """
    provider = find_provider(session, code)
    for each in _open(consents_of(session, citizen), provider):
        withdraw_consent(session, citizen, provider.id, each.what, at=at)
    for each in _open(links_of(session, citizen), provider):
        unlink_instrument(session, citizen, provider.id, bytes.fromhex(each.what), at=at)


def standings(session: Session, citizen: Citizen) -> list[Standing]:
    """Give what somebody ever consented to, provider by provider."""
    consents, links = consents_of(session, citizen), links_of(session, citizen)
    ids = sorted({each.provider for each in (*consents, *links)})
    rows = driver(session).execute(_PROVIDERS, (ids,)).fetchall()
    return [
        Standing(
            provider,
            [each for each in consents if each.provider == provider.id],
            [each for each in links if each.provider == provider.id],
        )
        for provider in sorted((Provider(*row) for row in rows), key=lambda each: each.code)
    ]


def known_scenes(session: Session) -> list[str]:
    """Name the scenes that a person can consent to."""
    return [scene for scene in scenes_of(library(session).values()) if scene != WHEREABOUTS]


def birth_date_of(session: Session, keys: Keys, citizen: Citizen) -> date | None:
    """Give the declared birth date, which lies sealed."""
    told = open_personal(keys, driver(session), citizen).get(BIRTH_DATE)
    return None if told is None else date.fromisoformat(told)


def refuse_leaving(session: Session, citizen: Citizen) -> None:
    """Pass somebody who stays, and lock them.

    Raises:
        TokenInvalid: They were erased.
        ErasureUnderWay: They have asked to be erased.
    """
    owner = (citizen.bucket, citizen.number)
    lock_citizen(session, *owner)
    if driver(session).execute(_LEAVING, owner).fetchone() is not None:
        raise ErasureUnderWay


def _may_consent(
    session: Session, keys: Keys, citizen: Citizen, wanted: Wanted, at: datetime
) -> None:
    born = birth_date_of(session, keys, citizen)
    alone = not is_child(born, day_of(at)) if born is not None else wanted.at_least_14
    if not alone and guardian_of(session, citizen) is None:
        raise GuardianNeeded


def _put_links(
    session: Session,
    keys: Keys,
    citizen: Citizen,
    provider: Provider,
    numbers: Sequence[str],
    at: datetime,
) -> None:
    wanted = {keys.subject_hash(provider.code, number) for number in numbers}
    linked = _open(links_of(session, citizen), provider)
    for number in {bytes.fromhex(each.what) for each in linked} - wanted:
        unlink_instrument(session, citizen, provider.id, number, at=at)
    for number in sorted(wanted):
        link_instrument(session, citizen, provider.id, number, at=at)


def _open(intervals: Sequence[Interval], provider: Provider) -> list[Interval]:
    return [each for each in intervals if each.provider == provider.id and each.until is None]
