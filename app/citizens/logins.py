"""Logins (登录方式): which phone or WeChat id is whose, and the citizen that a first login opens.

A phone opens a citizen at once, since its holder has just proved it. A WeChat id that nobody
linked opens one only when asked to: whoever joined by phone before would otherwise end up as two
people, and two people are never merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.citizens.consents import Citizen
from app.citizens.enrolment import open_citizens
from app.citizens.errors import (
    LoginHeld,
    LoginLeaving,
    LoginNotLinked,
    LoginOnly,
    LoginTaken,
    LoginUnknown,
)
from app.citizens.identities import Subject, Way
from app.citizens.personal import open_personal, seal_personal
from app.citizens.staying import lock_citizen
from app.kernel.db import Connection, driver
from app.kernel.scopes import SCOPES, Role, Scope
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.sessions import close_all

_FIND: Final = "select bucket, account from login where kind = %s and number = %s"
_LINK: Final = """
insert into login (kind, number, bucket, account, linked_at) values (%s, %s, %s, %s, %s)"""
_OF: Final = """
select kind, linked_at from login where bucket = %s and account = %s order by linked_at, kind"""
_UNLINK: Final = "delete from login where bucket = %s and account = %s and kind = %s"
_UNLINK_ALL: Final = "delete from login where bucket = %s and account = %s"
_LEAVING: Final = "select 1 from erasure where bucket = %s and account = %s"
_PUBLIC: Final = "select public_id from subject where bucket = %s and account = %s"


@dataclass(frozen=True, slots=True)
class Login:
    """A way in that a citizen has."""

    way: Way
    linked_at: datetime


def log_in(
    session: Session, keys: Keys, subject: Subject, *, may_open: bool, at: datetime
) -> Principal:
    """Give the citizen whose login this is, or open one, who has consented to nothing yet.

    Raises:
        LoginUnknown: It is nobody's, and none is to be opened.
        LoginLeaving: Its citizen has asked to be erased.
    """
    connection = driver(session)
    row = connection.execute(_FIND, (subject.way, subject.hash(keys))).fetchone()
    if row is None:
        if not may_open:
            raise LoginUnknown
        (citizen,) = open_citizens(session, keys, 1, at=at, basis="self")
        _link(connection, keys, citizen, subject, at)
    else:
        citizen = Citizen(*row)
    who = Principal("citizen", _public_id(connection, citizen), frozenset(), citizen.number)
    scopes = rights_of_citizen(session, who)
    if not scopes:
        raise LoginLeaving
    return replace(who, scopes=scopes)


def link_login(
    session: Session, keys: Keys, citizen: Citizen, subject: Subject, *, at: datetime
) -> bool:
    """Give a citizen one more way in; says whether it is new. Idempotent; merges nobody.

    Raises:
        TokenInvalid: The citizen was erased.
        LoginTaken: It is somebody else's: log in with it, or keep to this one.
        LoginHeld: The citizen has another login of this kind.
    """
    connection = driver(session)
    lock_citizen(session, citizen.bucket, citizen.number)
    row = connection.execute(_FIND, (subject.way, subject.hash(keys))).fetchone()
    if row is not None:
        if row == (citizen.bucket, citizen.number):
            return False
        raise LoginTaken(way=subject.way)
    if any(login.way == subject.way for login in logins_of(session, citizen)):
        raise LoginHeld(way=subject.way)
    _link(connection, keys, citizen, subject, at)
    return True


def logins_of(session: Session, citizen: Citizen) -> Sequence[Login]:
    """List the ways in that a citizen has."""
    rows = driver(session).execute(_OF, (citizen.bucket, citizen.number)).fetchall()
    return [Login(*row) for row in rows]


def unlink_login(session: Session, keys: Keys, me: Principal, way: Way, *, at: datetime) -> None:
    """Take one way in from a citizen, never the last, and end all of their sessions.

    Nobody knows which of them were opened by it. Two that are unlinked at once take turns.

    Raises:
        TokenInvalid, LoginNotLinked, LoginOnly: See their own words.
    """
    connection, citizen = driver(session), Citizen(me.bucket, me.owner)
    lock_citizen(session, citizen.bucket, citizen.number)
    ways = [each.way for each in logins_of(session, citizen)]
    if way not in ways:
        raise LoginNotLinked(way=way)
    if len(ways) == 1:
        raise LoginOnly(way=way)
    connection.execute(_UNLINK, (citizen.bucket, citizen.number, way))
    fields = open_personal(keys, connection, citizen, locking=True)
    fields.pop(way, None)
    seal_personal(keys, connection, citizen, fields)
    close_all(session, me, at=at)


def unlink_logins(session: Session, citizen: Citizen) -> int:
    """Take every way in from a citizen, as erasure does; gives how many there were."""
    return driver(session).execute(_UNLINK_ALL, (citizen.bucket, citizen.number)).rowcount


def rights_of_citizen(session: Session, who: Principal) -> frozenset[Scope]:
    """Give what a citizen may do at this moment; nothing once they have left, or asked to.

    Asked at each login and refresh: what a guardian or a birth date takes away belongs here.
    """
    owner = (who.bucket, who.owner)
    if not logins_of(session, Citizen(*owner)):
        return frozenset()
    is_leaving = driver(session).execute(_LEAVING, owner).fetchone() is not None
    return frozenset() if is_leaving else SCOPES[Role.CITIZEN]


def _link(
    connection: Connection, keys: Keys, citizen: Citizen, subject: Subject, at: datetime
) -> None:
    where = (citizen.bucket, citizen.number)
    connection.execute(_LINK, (subject.way, subject.hash(keys), *where, at))
    fields = open_personal(keys, connection, citizen, locking=True)
    seal_personal(keys, connection, citizen, fields | {subject.way: subject.id})


def _public_id(connection: Connection, citizen: Citizen) -> UUID:
    row = connection.execute(_PUBLIC, (citizen.bucket, citizen.number)).fetchone()
    assert row is not None, citizen
    return row[0]
