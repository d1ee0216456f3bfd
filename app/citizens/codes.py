"""One-time codes (验证码): six digits to a phone, for five minutes, for one login.

Of a code the database holds an HMAC over the challenge, the device and the digits, under a key
that is not in it. Tries are counted where they are checked, in one statement under a row lock, so
neither a crash, nor a dead Redis, nor a hundred tries at once give a sixth one. An attacker has
5 tries for each of 10 codes a day: 5·10⁻⁵ a number and day.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.citizens.identities import Subject
from app.kernel.db import driver
from app.kernel.limits import Limit, Use
from app.kernel.secrets import Keys

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=5)
RESEND: Final = timedelta(seconds=60)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

RESENT: Final = Limit("codes.resend", 1, RESEND)
NUMBER_HOUR: Final = Limit("codes.number_hour", 5, HOUR)
NUMBER_DAY: Final = Limit("codes.number_day", 10, DAY)
DEVICE_DAY: Final = Limit("codes.device_day", 200, DAY)
NETWORK_HOUR: Final = Limit("codes.network_hour", 20, HOUR)
CITY: Final = "codes.city_hour"
TRIES_HOUR: Final = Limit("tries.network_hour", 300, HOUR)
"""Logins tried from one network: three times what its own twenty codes allow."""

_KEEP: Final = """
insert into login_code (id, sealed, code, sent_at, ends_at) values (%s, %s, %s, %s, %s)"""
_TRY: Final = """
update login_code set tries = tries + 1
 where id = %s and tries < 5 and used_at is null and ends_at > %s
returning sealed, code"""
_USE: Final = "update login_code set used_at = %s where id = %s"
_SWEEP: Final = "delete from login_code where ends_at < %s"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody shows: the challenge, the code, and the device that asked for it."""

    challenge: UUID
    device: str = field(repr=False)
    code: str = field(repr=False)


def uses_of(keys: Keys, phone: Subject, device: str, network: str, city_most: int) -> list[Use]:
    """List what sending a code takes from, the narrowest first, so that a flood stops early."""
    number = phone.hash(keys)
    return [
        (RESENT, number),
        (NUMBER_HOUR, number),
        (NUMBER_DAY, number),
        (DEVICE_DAY, keys.login_hash("device", device.encode())),
        (NETWORK_HOUR, keys.login_hash("network", network.encode())),
        (Limit(CITY, city_most, HOUR), keys.login_hash("city", b"")),
    ]


def keep_code(
    session: Session, keys: Keys, phone: Subject, attempt: Attempt, *, at: datetime
) -> datetime:
    """Keep what the right answer to a challenge is; gives until when it is accepted."""
    ends_at = at + LIFETIME
    sealed = keys.seal(phone.id.encode(), owner=_place(attempt.challenge))
    row = (attempt.challenge, sealed, _hash(keys, attempt), at, ends_at)
    driver(session).execute(_KEEP, row)
    return ends_at


def use_code(session: Session, keys: Keys, attempt: Attempt, *, at: datetime) -> Subject | None:
    """Give whose phone the code was sent to, once; ``None`` for a wrong try, which is counted.

    The count is the caller's to commit, so a wrong try is an answer and not raised.
    """
    connection = driver(session)
    row = connection.execute(_TRY, (attempt.challenge, at)).fetchone()
    if row is None or not compare_digest(bytes(row[1]), _hash(keys, attempt)):
        return None
    connection.execute(_USE, (at, attempt.challenge))
    number = keys.open(bytes(row[0]), owner=_place(attempt.challenge)).decode()
    return Subject("phone", number)


def sweep_codes(session: Session, *, before: datetime) -> int:
    """Forget codes that ended before an instant; gives how many rows went."""
    return driver(session).execute(_SWEEP, (before,)).rowcount


def _hash(keys: Keys, attempt: Attempt) -> bytes:
    device = keys.login_hash("device", attempt.device.encode())
    return keys.login_hash("code", attempt.challenge.bytes + device + attempt.code.encode())


def _place(challenge: UUID) -> int:
    """Bind the sealed number to its challenge: the random half of the id."""
    return challenge.int & (2**64 - 1)
