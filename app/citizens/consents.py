"""Consents and links (授权与绑定): for whom, for what and from when a provider may report acts.

Both are half-open intervals that can be closed and never moved: withdrawing is as easy as
giving, stops what comes after, and rewrites nothing before. Every statement names its owner.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from psycopg import errors
from sqlmodel import Session

from app.citizens.errors import CitizenUnknown, InstrumentTaken, IntervalTaken
from app.kernel.db import driver

Basis = Literal["self", "operator-import", "simulated"]
"""Whose act the consent was; only ``self`` exists in production."""


@dataclass(frozen=True, slots=True)
class Citizen:
    """A person with an owner in the books (市民)."""

    bucket: int
    number: int
    """The id of the person's place in the ledger."""


_KNOWN: Final = "select 1 from subject where bucket = %s and account = %s"
_OPEN_CONSENT: Final = """
select 1 from consent where bucket = %s and account = %s and provider = %s and scene = %s
   and valid_to is null"""
_GIVE: Final = """
insert into consent (bucket, account, provider, scene, valid_from, basis)
values (%s, %s, %s, %s, %s, %s) on conflict (bucket, account, provider, scene, valid_from)
do nothing"""
_WITHDRAW: Final = """
update consent set valid_to = greatest(%s, valid_from + interval '1 microsecond')
 where bucket = %s and account = %s and provider = %s and scene = %s and valid_to is null"""
_LINKED: Final = """
select bucket, account, linked_to is null from instrument
 where provider = %s and number = %s and (linked_to is null or linked_to > %s)"""
_LINK: Final = """
insert into instrument (provider, number, linked_from, bucket, account)
values (%s, %s, %s, %s, %s)"""
_UNLINK: Final = """
update instrument set linked_to = greatest(%s, linked_from + interval '1 microsecond')
 where bucket = %s and account = %s and provider = %s and number = %s and linked_to is null"""
_CLOSE: Final = """
update consent set valid_to = greatest(%s, valid_from + interval '1 microsecond')
 where bucket = %s and account = %s and valid_to is null"""
_VOID_LINKS: Final = """
update instrument set linked_to = linked_from + interval '1 microsecond'
 where bucket = %s and account = %s"""
_CONSENTS: Final = """
select provider, scene, valid_from, valid_to from consent where bucket = %s and account = %s
 order by provider, scene, valid_from"""
_LINKS: Final = """
select provider, number, linked_from, linked_to from instrument
 where bucket = %s and account = %s order by provider, linked_from, number"""


class Interval(NamedTuple):
    """One stretch of a consent; for a link, ``what`` is the keyed hash in hex."""

    provider: int
    what: str
    since: datetime
    until: datetime | None


def consents_of(session: Session, citizen: Citizen) -> list[Interval]:
    """Give every consent that a citizen ever gave, ended ones as well."""
    owner = (citizen.bucket, citizen.number)
    return [Interval(*row) for row in driver(session).execute(_CONSENTS, owner)]


def links_of(session: Session, citizen: Citizen) -> list[Interval]:
    """Give every card or meter that was ever linked to a citizen."""
    rows = driver(session).execute(_LINKS, (citizen.bucket, citizen.number))
    return [Interval(row[0], bytes(row[1]).hex(), row[2], row[3]) for row in rows]


def close_consents(session: Session, citizen: Citizen, *, at: datetime) -> None:
    """Withdraw everything from everybody, at once. Idempotent."""
    driver(session).execute(_CLOSE, (at, citizen.bucket, citizen.number))


def void_links(session: Session, citizen: Citizen) -> None:
    """Let no act ever told lead to a citizen any more, whenever it occurred. Idempotent."""
    driver(session).execute(_VOID_LINKS, (citizen.bucket, citizen.number))


def give_consent(
    session: Session, citizen: Citizen, provider: int, scene: str, *, at: datetime, basis: Basis
) -> bool:
    """Open an interval from ``at`` on; says whether it was not open before. Idempotent.

    Raises:
        CitizenUnknown: There is no such citizen.
        IntervalTaken: An interval that began at ``at`` was withdrawn since.
    """
    connection = driver(session)
    owner = (citizen.bucket, citizen.number)
    if connection.execute(_KNOWN, owner).fetchone() is None:
        raise CitizenUnknown
    if connection.execute(_OPEN_CONSENT, (*owner, provider, scene)).fetchone():
        return False
    if connection.execute(_GIVE, (*owner, provider, scene, at, basis)).rowcount == 0:
        raise IntervalTaken
    return True


def withdraw_consent(
    session: Session, citizen: Citizen, provider: int, scene: str, *, at: datetime
) -> bool:
    """Close the open interval at ``at``; says whether one was open. Idempotent."""
    owner = (citizen.bucket, citizen.number)
    return driver(session).execute(_WITHDRAW, (at, *owner, provider, scene)).rowcount > 0


def link_instrument(
    session: Session, citizen: Citizen, provider: int, number: bytes, *, at: datetime
) -> bool:
    """Link a card or meter, as its keyed hash; says whether it was not linked before.

    Raises:
        InstrumentTaken: It belongs to somebody else from ``at`` on, or in part of that time.
    """
    connection = driver(session)
    found = connection.execute(_LINKED, (provider, number, at)).fetchall()
    if found == [(citizen.bucket, citizen.number, True)]:
        return False
    if found:
        raise InstrumentTaken
    try:
        connection.execute(_LINK, (provider, number, at, citizen.bucket, citizen.number))
    except errors.ExclusionViolation as error:
        raise InstrumentTaken from error
    return True


def unlink_instrument(
    session: Session, citizen: Citizen, provider: int, number: bytes, *, at: datetime
) -> bool:
    """End this citizen's link at ``at``; says whether there was one. Idempotent."""
    owner = (citizen.bucket, citizen.number)
    return driver(session).execute(_UNLINK, (at, *owner, provider, number)).rowcount > 0
