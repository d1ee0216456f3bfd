"""Enrolment (开户): accounts with a consent and a link, one by one or by the thousand.

Outside production an import enrols the subjects that nobody knows yet (R15), so that a file can
be tried without a city of registered people; the basis of every such consent says so. It opens
nothing for a person who ever decided about this provider and scene: a withdrawal stays one.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from app.books import open_owners
from app.citizens.consents import Basis, Citizen
from app.citizens.errors import EnrolmentRefused
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from ledger.accounts import AccountKind, bucket_of

_KNOWN: Final = "select number from instrument where provider = %s and number = any(%s)"
_SUBJECTS: Final = """
insert into subject (bucket, account, public_id, basis, opened_at)
select b, a, uuidv7(), %s, %s from unnest(%s::int2[], %s::int8[]) as t (b, a)"""
_CONSENTS: Final = """
insert into consent (bucket, account, provider, scene, valid_from, basis)
select b, a, %s, %s, %s, %s from unnest(%s::int2[], %s::int8[]) as t (b, a)"""
_LINKS: Final = """
insert into instrument (provider, number, linked_from, bucket, account)
select %s, n, %s, b, a from unnest(%s::bytea[], %s::int2[], %s::int8[]) as t (n, b, a)"""
_MORE_SCENES: Final = """
insert into consent (bucket, account, provider, scene, valid_from, basis)
select i.bucket, i.account, i.provider, %(scene)s, %(since)s, s.basis
  from instrument i
  join subject s on s.bucket = i.bucket and s.account = i.account and s.basis <> 'self'
 where i.provider = %(provider)s and i.number = any(%(numbers)s) and i.linked_to is null
   and not exists (select 1 from consent c where c.bucket = i.bucket and c.account = i.account
                    and c.provider = i.provider and c.scene = %(scene)s)
 group by i.bucket, i.account, i.provider, s.basis
on conflict do nothing"""


def open_citizens(
    session: Session, keys: Keys, count: int, *, at: datetime, basis: Basis
) -> Sequence[Citizen]:
    """Open ``count`` citizens who have consented to nothing yet."""
    connection = driver(session)
    numbers = open_owners(connection, keys, AccountKind.CITIZEN, count, at=at)
    citizens = [Citizen(bucket_of(number), number) for number in numbers]
    connection.execute(_SUBJECTS, (basis, at, *_columns(citizens)))
    return citizens


def enrol_unknown(  # noqa: PLR0913 -- who, for what, since when, and on whose word
    session: Session,
    keys: Keys,
    provider: int,
    numbers: Collection[bytes],
    scene: str,
    *,
    since: datetime,
    at: datetime,
    is_production: bool,
    basis: Basis = "operator-import",
) -> int:
    """Open account, consent and link for the hashed numbers that nobody has linked.

    Six statements whatever the count. Idempotent: a second call with the same numbers opens
    none. ``since`` is the start of the day of the earliest act in the file. Returns how many
    people were enrolled.

    Raises:
        EnrolmentRefused: In production; nothing is opened there.
    """
    if is_production:
        raise EnrolmentRefused
    connection = driver(session)
    wanted = sorted(set(numbers))
    known = {bytes(row[0]) for row in connection.execute(_KNOWN, (provider, wanted))}
    if known:
        facts = {"provider": provider, "numbers": sorted(known), "scene": scene, "since": since}
        connection.execute(_MORE_SCENES, facts)
    unknown = [number for number in wanted if number not in known]
    if unknown:
        citizens = open_citizens(session, keys, len(unknown), at=at, basis=basis)
        _join(connection, provider, unknown, citizens, scene, since, basis)
    return len(unknown)


def _join(  # noqa: PLR0917 -- columns of two tables
    connection: Connection,
    provider: int,
    numbers: Sequence[bytes],
    citizens: Sequence[Citizen],
    scene: str,
    since: datetime,
    basis: Basis,
) -> None:
    columns = _columns(citizens)
    connection.execute(_CONSENTS, (provider, scene, since, basis, *columns))
    connection.execute(_LINKS, (provider, since, list(numbers), *columns))


def _columns(citizens: Sequence[Citizen]) -> tuple[list[int], list[int]]:
    return [c.bucket for c in citizens], [c.number for c in citizens]
