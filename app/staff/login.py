"""A clerk's login (工作人员登录): enrolment once, then password and TOTP, each code once.

A try is counted, and committed, before it is checked: so guesses that come side by side count
each, and a crash gives none back. Checking takes as long for a login that nobody has.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Database, driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.kernel.tokens import PREFIXES
from app.staff.audit_log import note_act
from app.staff.clerks import Clerk, find_clerk
from app.staff.credentials import commitment, hash_password, is_password, seal_owner, step_of
from app.staff.errors import EnrolmentInvalid, LoginRefused, PasswordWeak
from app.staff.rules import is_strong, wait_s

_ENROLLING: Final = """
select c.id from clerk c join clerk_credential k on k.clerk = c.id
 where c.login = %s and c.suspended_at is null and k.enrolment = %s and k.enrolment_until > %s"""
_STORE: Final = """
update clerk_credential set password = %s, totp = %s, step = 0, failures = 0, locked_until = null
 where clerk = %s and enrolment = %s and enrolment_until > %s"""
_TRY: Final = """
select c.id, k.password, k.totp, k.failures + 1
  from clerk c join clerk_credential k on k.clerk = c.id
 where c.login = %s and c.suspended_at is null and k.password is not null
   and (k.locked_until is null or k.locked_until <= %s)
   for update of k"""
_COUNT: Final = "update clerk_credential set failures = %s, locked_until = %s where clerk = %s"
_ADMIT: Final = """
update clerk_credential k
   set step = %s, failures = 0, locked_until = null, enrolment = null, enrolment_until = null
  from clerk c
 where k.clerk = %s and c.id = k.clerk and c.suspended_at is null
   and k.password = %s and k.step < %s"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted, and what it is checked against."""

    clerk: UUID
    password: str
    totp: bytes
    failures: int


def enrol(
    db: Database, keys: Keys, login: str, secret: str, password: str, totp: bytes, *, at: datetime
) -> None:
    """Keep a clerk's password and TOTP secret.

    May be done again until the first login, as the answer may be lost on its way.

    Raises:
        EnrolmentInvalid: The secret is not the one that the admission named, or has ended.
        PasswordWeak: See its own words.
    """
    enrolment = commitment(secret)
    clerk = db.read(_enrolling, login, enrolment, at=at)
    if not is_strong(password, login):
        raise PasswordWeak
    hashed, sealed = hash_password(password), keys.seal(totp, owner=seal_owner(clerk))

    def command(session: Session) -> None:
        row = (hashed, sealed, clerk, enrolment, at)
        if driver(session).execute(_STORE, row).rowcount == 0:
            raise EnrolmentInvalid
        note_act(session, public_id(PREFIXES["clerk"], clerk), "staff.enrol", login, at=at)

    db.transact(command)


def check_login(
    db: Database, keys: Keys, login: str, password: str, code: str, *, at: datetime
) -> tuple[Attempt, int]:
    """Count a try and check it; give it with the step of its code, for :func:`admit`.

    Raises:
        LoginRefused: One answer for a login that nobody has, a wrong password or code, a clerk
            who is suspended or has not enrolled, and too many tries.
    """
    attempt = db.transact(count_try, login, at=at)
    is_right = is_password(password, attempt.password if attempt else None)
    if attempt is None or not is_right:
        raise LoginRefused
    step = step_of(keys.open(attempt.totp, owner=seal_owner(attempt.clerk)), code, at)
    if step is None:
        raise LoginRefused
    return attempt, step


def count_try(session: Session, login: str, *, at: datetime) -> Attempt | None:
    """Count a try; ``None`` where there is nothing to check it against, or too many came before."""
    row = driver(session).execute(_TRY, (login, at)).fetchone()
    if row is None:
        return None
    attempt = Attempt(row[0], row[1], bytes(row[2]), row[3])
    until = at + timedelta(seconds=wait) if (wait := wait_s(attempt.failures)) else None
    driver(session).execute(_COUNT, (attempt.failures, until, attempt.clerk))
    return attempt


def admit(session: Session, attempt: Attempt, step: int, *, at: datetime) -> Clerk:
    """Let a clerk in whose try was right; the code is used up with it.

    Raises:
        LoginRefused: The code was used before, or the clerk was reset or suspended meanwhile.
    """
    row = (step, attempt.clerk, attempt.password, step)
    if driver(session).execute(_ADMIT, row).rowcount == 0:
        raise LoginRefused
    clerk = find_clerk(session, attempt.clerk)
    note_act(session, clerk.public, "staff.log_in", clerk.public, at=at)
    return clerk


def _enrolling(session: Session, login: str, enrolment: bytes, *, at: datetime) -> UUID:
    row = driver(session).execute(_ENROLLING, (login, enrolment, at)).fetchone()
    if row is None:
        raise EnrolmentInvalid
    return row[0]
