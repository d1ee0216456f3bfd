"""Rolls of people (名册): enrolment once, then a login by password and TOTP, each code once.

A try is counted, and committed, before it is checked: so guesses that come side by side count
each, and a crash gives none back. Checking takes as long for a login that nobody has. The desk has
a roll, and each sort of firm; they differ in their tables and in who of them may come in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Database, driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.kernel.tokens import PREFIXES, Kind
from app.staff.audit_log import note_act
from app.staff.credentials import commitment, hash_password, is_password, seal_owner, step_of
from app.staff.errors import EnrolmentInvalid, LoginRefused, PasswordWeak
from app.staff.rules import is_strong, wait_s

ENROLMENT_LIFETIME: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that was counted, and what it is checked against."""

    person: UUID
    password: str
    totp: bytes
    failures: int


class Roll:
    """People who log in, and the table of what each proves, by the person's id."""

    def __init__(
        self,
        kind: Kind,
        people: LiteralString,
        credentials: LiteralString,
        *,
        standing: LiteralString,
        enrolled: str,
    ) -> None:
        """Name the tables; ``standing`` says which rows ``p`` may come in, ``enrolled`` the act."""
        self._prefix, self._enrolled = PREFIXES[kind], enrolled
        joined: LiteralString = f"{people} p join {credentials} k on k.{people} = p.id"
        self._await: LiteralString = f"""
insert into {credentials} ({people}, enrolment, enrolment_until) values (%s, %s, %s)
on conflict ({people}) do update
   set enrolment = excluded.enrolment, enrolment_until = excluded.enrolment_until,
       password = null, totp = null, failures = 0, locked_until = null"""  # noqa: S608 -- tables of our own
        self._enrolling: LiteralString = f"""
select p.id from {joined}
 where p.login = %s and {standing} and k.enrolment = %s and k.enrolment_until > %s"""  # noqa: S608 -- likewise
        self._store: LiteralString = f"""
update {credentials} set password = %s, totp = %s, step = 0, failures = 0, locked_until = null
 where {people} = %s and enrolment = %s and enrolment_until > %s"""  # noqa: S608 -- likewise
        self._try: LiteralString = f"""
select p.id, k.password, k.totp, k.failures + 1 from {joined}
 where p.login = %s and {standing} and k.password is not null
   and (k.locked_until is null or k.locked_until <= %s)
   for update of k"""  # noqa: S608 -- likewise
        self._count: LiteralString = f"""
update {credentials} set failures = %s, locked_until = %s where {people} = %s"""  # noqa: S608 -- likewise
        self._admit: LiteralString = f"""
update {credentials} k
   set step = %s, failures = 0, locked_until = null, enrolment = null, enrolment_until = null
  from {people} p
 where k.{people} = %s and p.id = k.{people} and {standing}
   and k.password = %s and k.step < %s"""  # noqa: S608 -- likewise

    def await_enrolment(
        self, session: Session, person: UUID, enrolment: bytes, *, at: datetime
    ) -> None:
        """Forget password and TOTP; the secret of this hash lets the person choose them anew."""
        row = (person, enrolment, at + ENROLMENT_LIFETIME)
        driver(session).execute(self._await, row)

    def enrol(
        self,
        db: Database,
        keys: Keys,
        login: str,
        secret: str,
        password: str,
        totp: bytes,
        *,
        at: datetime,
    ) -> None:
        """Keep a person's password and TOTP secret.

        May be done again until the first login, as the answer may be lost on its way.

        Raises:
            EnrolmentInvalid: The secret is not the one that the admission named, or has ended.
            PasswordWeak: See its own words.
        """
        enrolment = commitment(secret)
        person = db.read(self._find_enrolling, login, enrolment, at=at)
        if not is_strong(password, login):
            raise PasswordWeak
        hashed, sealed = hash_password(password), keys.seal(totp, owner=seal_owner(person))

        def command(session: Session) -> None:
            row = (hashed, sealed, person, enrolment, at)
            if driver(session).execute(self._store, row).rowcount == 0:
                raise EnrolmentInvalid
            note_act(session, public_id(self._prefix, person), self._enrolled, login, at=at)

        db.transact(command)

    def check_login(
        self, db: Database, keys: Keys, login: str, password: str, code: str, *, at: datetime
    ) -> tuple[Attempt, int]:
        """Count a try and check it; give it with the step of its code, for :meth:`use_code`.

        Raises:
            LoginRefused: One answer for a login that nobody has, a wrong password or code,
                somebody who is suspended or has not enrolled, and too many tries.
        """
        attempt = db.transact(self.count_try, login, at=at)
        is_right = is_password(password, attempt.password if attempt else None)
        if attempt is None or not is_right:
            raise LoginRefused
        step = step_of(keys.open(attempt.totp, owner=seal_owner(attempt.person)), code, at)
        if step is None:
            raise LoginRefused
        return attempt, step

    def count_try(self, session: Session, login: str, *, at: datetime) -> Attempt | None:
        """Count a try; ``None`` where nothing can be checked, or too many came before."""
        row = driver(session).execute(self._try, (login, at)).fetchone()
        if row is None:
            return None
        attempt = Attempt(row[0], row[1], bytes(row[2]), row[3])
        until = at + timedelta(seconds=wait) if (wait := wait_s(attempt.failures)) else None
        driver(session).execute(self._count, (attempt.failures, until, attempt.person))
        return attempt

    def use_code(self, session: Session, attempt: Attempt, step: int) -> None:
        """Use up the code of a try that was right, which lets its person in.

        Raises:
            LoginRefused: The code was used before, or the person was reset or suspended meanwhile.
        """
        row = (step, attempt.person, attempt.password, step)
        if driver(session).execute(self._admit, row).rowcount == 0:
            raise LoginRefused

    def _find_enrolling(
        self, session: Session, login: str, enrolment: bytes, *, at: datetime
    ) -> UUID:
        row = driver(session).execute(self._enrolling, (login, enrolment, at)).fetchone()
        if row is None:
            raise EnrolmentInvalid
        return row[0]
