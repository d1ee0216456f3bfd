"""Guardians (监护人): a grown-up citizen who consents, by their own login, for one under 14.

The child shows a code, the guardian enters it: that is the consent, and its row says since when.
It is kept twice, in the bucket of each, so that both read their own. Ending it ends every consent
of a child; from the fourteenth birthday on it has no more power over anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.citizens.consents import Citizen, close_consents
from app.citizens.errors import GuardianHeld, GuardianSelf, WardCodeUnknown
from app.kernel.db import driver
from app.kernel.ids import ALPHABET
from app.kernel.secrets import Keys
from ledger.accounts import bucket_of

CODE_LIFETIME: Final = timedelta(hours=24)
RANDOM_DIGITS: Final = 10
"""50 bits, for a day; before them stand two digits for the bucket."""
_BUCKET_DIGITS: Final = 2
_DIGIT_BITS: Final = 5
WARDS_MAX: Final = 10

_OFFER: Final = """
insert into guardian_code (bucket, account, code, ends_at) values (%s, %s, %s, %s)
on conflict (bucket, account) do update set code = excluded.code, ends_at = excluded.ends_at"""
_USE: Final = """
delete from guardian_code where bucket = %s and code = %s and ends_at > %s returning account"""
_OPEN: Final = """
select id, is_guardian, other, since from guardianship
 where bucket = %s and account = %s and until is null order by since, id"""
_BEGIN: Final = """
insert into guardianship (bucket, account, id, is_guardian, other, since)
values (%s, %s, %s, %s, %s, %s)"""
_END: Final = """
update guardianship set until = greatest(%s, since + interval '1 microsecond')
 where bucket = %s and account = %s and id = %s and until is null"""


@dataclass(frozen=True, slots=True)
class Guardianship:
    """One side of a pair: this citizen's guardian, or a child that they stand for."""

    id: UUID
    is_guardian: bool
    """Whether the citizen who asked is the guardian of the two."""
    other: Citizen
    since: datetime


def write_code(citizen: Citizen, digits: Sequence[int]) -> str:
    """Write a code that leads to its owner's bucket, of ten random digits to the base of 32.

    >>> write_code(Citizen(33, 65538), [0] * 10)
    '110000000000'
    """
    assert len(digits) == RANDOM_DIGITS, digits
    high, low = divmod(citizen.bucket, 1 << _DIGIT_BITS)
    return "".join(ALPHABET[digit] for digit in (high, low, *digits))


def offer_code(
    session: Session, keys: Keys, child: Citizen, code: str, *, at: datetime
) -> datetime:
    """Let a guardian be named by this code for a day; gives until when. The last one holds.

    Raises:
        GuardianHeld: Somebody stands for them already.
    """
    if guardian_of(session, child) is not None:
        raise GuardianHeld
    ends_at = at + CODE_LIFETIME
    row = (child.bucket, child.number, _hash(keys, code), ends_at)
    driver(session).execute(_OFFER, row)
    return ends_at


def become_guardian(
    session: Session,
    keys: Keys,
    guardian: Citizen,
    code: str,
    *,
    named: UUID,
    at: datetime,
) -> Guardianship:
    """Stand for the child who showed the code: their consents rest on this one.

    Raises:
        WardCodeUnknown: Nobody shows that code, or no longer.
        GuardianSelf, GuardianHeld: See their own words.
    """
    connection = driver(session)
    bucket = _bucket_in(code)
    row = connection.execute(_USE, (bucket, _hash(keys, code), at)).fetchone()
    if row is None:
        raise WardCodeUnknown
    child = Citizen(bucket, row[0])
    if child == guardian:
        raise GuardianSelf
    if guardian_of(session, child) is not None or len(_open(session, guardian)) >= WARDS_MAX:
        raise GuardianHeld
    for owner, is_guardian, other in ((child, False, guardian), (guardian, True, child)):
        facts = (owner.bucket, owner.number, named, is_guardian, other.number, at)
        connection.execute(_BEGIN, facts)
    return Guardianship(named, is_guardian=True, other=child, since=at)


def guardian_of(session: Session, child: Citizen) -> Guardianship | None:
    """Give who stands for somebody, if anybody does."""
    return next((each for each in _open(session, child) if not each.is_guardian), None)


def wards_of(session: Session, guardian: Citizen) -> list[Guardianship]:
    """List those whom somebody stands for."""
    return [each for each in _open(session, guardian) if each.is_guardian]


def end_guardianship(
    session: Session, citizen: Citizen, pair: Guardianship, *, closing: bool, at: datetime
) -> None:
    """End one, from either side; ``closing`` ends what the child had consented to as well."""
    for owner in (citizen, pair.other):
        driver(session).execute(_END, (at, owner.bucket, owner.number, pair.id))
    if closing:
        close_consents(session, pair.other if pair.is_guardian else citizen, at=at)


def _open(session: Session, citizen: Citizen) -> list[Guardianship]:
    rows = driver(session).execute(_OPEN, (citizen.bucket, citizen.number)).fetchall()
    return [
        Guardianship(each, is_guardian, Citizen(bucket_of(other), other), since)
        for each, is_guardian, other, since in rows
    ]


def _bucket_in(code: str) -> int:
    """Read the bucket that a code leads to.

    Raises:
        WardCodeUnknown: It is not of the form of a code.
    """
    if len(code) != _BUCKET_DIGITS + RANDOM_DIGITS or any(each not in ALPHABET for each in code):
        raise WardCodeUnknown
    high, low = (ALPHABET.index(each) for each in code[:_BUCKET_DIGITS])
    return high << _DIGIT_BITS | low


def _hash(keys: Keys, code: str) -> bytes:
    return keys.login_hash("guardian", code.encode())
