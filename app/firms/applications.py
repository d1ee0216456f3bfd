"""Applications (入驻申请): what a firm sends that wishes to take part, and what becomes of it.

The enrolment hash names an application, so that whoever sends it again after a lost answer makes
no second one. Contact and bank account are sealed; a refusal forgets them. An approved firm's row
keeps both as long as it is one, and beside them what two of the desk are to agree to instead.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Generic, LiteralString, TypeVar
from uuid import UUID

from sqlmodel import Session

from app.firms.sort import Sort
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.staff.credentials import seal_owner

Reach = Mapping[str, Mapping[str, str]]
"""``contact`` and ``bank``, each with its fields."""


@dataclass(frozen=True, slots=True)
class NewFirm:
    """A firm that wishes to take part."""

    id: UUID
    kind: StrEnum
    name_zh: str
    name_en: str
    registration: str
    """Unified social credit code (GB 32100), checked."""


NewT = TypeVar("NewT", bound=NewFirm)


@dataclass(frozen=True, slots=True)
class FirstOwner:
    """Who shall keep the firm's affairs from its first day."""

    login: str
    name: str | None
    """None once the application is refused."""
    enrolment: bytes
    """SHA-256 of the secret by which they enrol."""


@dataclass(frozen=True, slots=True)
class Application(Generic[NewT]):
    """A firm's wish to take part (入驻申请); its id becomes the firm's."""

    firm: NewT
    owner: FirstOwner
    applied_at: datetime
    approved_at: datetime | None = None
    refused_at: datetime | None = None


_COLUMNS: Final = """
id, kind, name_zh, name_en, registration, login, person, enrolment, applied_at, approved_at,
refused_at"""


class Applications(Generic[NewT]):
    """The applications of one sort of firm."""

    def __init__(self, sort: Sort, read: Callable[..., NewT]) -> None:
        """Say what makes a firm of its five columns."""
        self.sort, self._read = sort, read
        table: LiteralString = f"{sort.kind}_application"
        self._apply: LiteralString = f"""
insert into {table} (id, kind, name_zh, name_en, registration, login, person, enrolment,
                     applied_at, contact)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (enrolment) do nothing"""  # noqa: S608 -- tables of our own
        self._named: LiteralString = f"select {_COLUMNS} from {table} where enrolment = %s"  # noqa: S608 -- likewise
        self._find: LiteralString = f"select {_COLUMNS} from {table} where id = %s"  # noqa: S608 -- likewise
        self._lock: LiteralString = f"{self._find} for update"
        self._list: LiteralString = f"""
select {_COLUMNS} from {table}
 where (%s::boolean is null or (approved_at is null and refused_at is null) = %s)
   and (%s::uuid is null or id < %s)
 order by id desc limit %s"""  # noqa: S608 -- likewise
        self._reach: LiteralString = f"""
select contact from {table} where id = %s and contact is not null"""  # noqa: S608 -- likewise
        self._approve: LiteralString = f"update {table} set approved_at = %s where id = %s"  # noqa: S608 -- likewise
        self._refuse: LiteralString = f"""
update {table} set refused_at = %s, contact = null, person = null where id = %s"""  # noqa: S608 -- likewise
        self._lapse: LiteralString = f"""
update {table} set refused_at = %s, contact = null, person = null
 where approved_at is null and refused_at is null and applied_at < %s returning id"""  # noqa: S608 -- likewise
        self._wished: LiteralString = f"""
select wished from {table} where id = %s and wished is not null"""  # noqa: S608 -- likewise
        self._wish: LiteralString = f"""
update {table} set wished = %s where id = %s and approved_at is not null"""  # noqa: S608 -- likewise
        self._grant: LiteralString = f"""
update {table} set contact = wished, wished = null
 where id = %s and encode(sha256(wished), 'hex') = %s"""  # noqa: S608 -- likewise

    def apply(
        self, session: Session, keys: Keys, wish: Application[NewT], reach: Reach
    ) -> Application[NewT]:
        """Keep an application; the same one sent again is the first.

        Raises:
            Refusal: ``application_changed``: something else was sent before with its enrolment
                secret; ``application_decided``: it was decided on meanwhile.
        """
        connection, firm, owner = driver(session), wish.firm, wish.owner
        named = (firm.id, firm.kind.value, firm.name_zh, firm.name_en, firm.registration)
        person = (owner.login, owner.name, owner.enrolment)
        sealed = _sealed(keys, firm.id, reach)
        if connection.execute(self._apply, (*named, *person, wish.applied_at, sealed)).rowcount:
            return wish
        first = self._found(connection.execute(self._named, (owner.enrolment,)).fetchone())
        self._refuse_decided(first)
        if _said(first) != _said(wish) or self.reach(session, keys, first.firm.id) != reach:
            raise self.sort.refusals.application_changed
        return first

    def reach(self, session: Session, keys: Keys, firm: UUID | None) -> Reach:
        """Give contact and bank account of an applicant or a firm.

        Raises:
            Refusal: ``application_unknown``; there is none, or it was refused and they are
                forgotten.
        """
        return self._opened(session, keys, self._reach, firm)

    def wished(self, session: Session, keys: Keys, firm: UUID | None) -> Reach:
        """Give contact and bank account that a firm is to have, once two agree.

        Raises:
            Refusal: ``application_unknown``; nobody asked for others.
        """
        return self._opened(session, keys, self._wished, firm)

    def wish(self, session: Session, keys: Keys, firm: UUID, reach: Reach) -> str:
        """Keep contact and bank account beside those in force; gives what names them: a digest.

        Raises:
            Refusal: ``application_unknown``; there is no such firm.
        """
        sealed = _sealed(keys, firm, reach)
        if not driver(session).execute(self._wish, (sealed, firm)).rowcount:
            raise self.sort.refusals.application_unknown
        return sha256(sealed).hexdigest()

    def grant(self, session: Session, firm: UUID, digest: str) -> None:
        """Put what was wished in force, in place of what was.

        Raises:
            Refusal: ``application_unknown``; it is not what the digest names any more.
        """
        if not driver(session).execute(self._grant, (firm, digest)).rowcount:
            raise self.sort.refusals.application_unknown

    def find(self, session: Session, application: UUID | None) -> Application[NewT]:
        """Give an application, a decided one too.

        Raises:
            Refusal: ``application_unknown``.
        """
        return self._found(driver(session).execute(self._find, (application,)).fetchone())

    def listed(
        self, session: Session, *, is_open: bool | None, before: UUID | None, limit: int
    ) -> Sequence[Application[NewT]]:
        """List applications, the newest first."""
        row = (is_open, is_open, before, before, limit)
        rows = driver(session).execute(self._list, row).fetchall()
        return [self._application(each) for each in rows]

    def open(self, session: Session, application: UUID | None) -> Application[NewT]:
        """Give an application that awaits its decision, until this transaction ends.

        Raises:
            Refusal: ``application_unknown``, ``application_decided``.
        """
        found = self._found(driver(session).execute(self._lock, (application,)).fetchone())
        self._refuse_decided(found)
        return found

    def note_approved(self, session: Session, application: UUID, *, at: datetime) -> None:
        """Keep that an open application was approved."""
        driver(session).execute(self._approve, (at, application))

    def refuse(self, session: Session, application: UUID | None, *, at: datetime) -> None:
        """Refuse an application, and forget whom to reach and where to pay.

        Raises:
            Refusal: ``application_unknown``, ``application_decided``.
        """
        self.open(session, application)
        driver(session).execute(self._refuse, (at, application))

    def lapse(self, session: Session, *, before: datetime, at: datetime) -> Sequence[UUID]:
        """Refuse what waits since before an instant, and forget as a refusal does; gives whose."""
        return [row[0] for row in driver(session).execute(self._lapse, (at, before))]

    def _opened(
        self, session: Session, keys: Keys, query: LiteralString, firm: UUID | None
    ) -> Reach:
        row = None if firm is None else driver(session).execute(query, (firm,)).fetchone()
        if firm is None or row is None:
            raise self.sort.refusals.application_unknown
        return json.loads(keys.open(bytes(row[0]), owner=seal_owner(firm)))

    def _refuse_decided(self, application: Application[NewT]) -> None:
        if application.approved_at is not None or application.refused_at is not None:
            raise self.sort.refusals.application_decided

    def _found(self, row: tuple[Any, ...] | None) -> Application[NewT]:
        if row is None:
            raise self.sort.refusals.application_unknown
        return self._application(row)

    def _application(self, row: tuple[Any, ...]) -> Application[NewT]:
        *firm, login, person, enrolment, applied_at, approved_at, refused_at = row
        owner = FirstOwner(login, person, bytes(enrolment))
        return Application(self._read(*firm), owner, applied_at, approved_at, refused_at)


def _sealed(keys: Keys, firm: UUID, reach: Reach) -> bytes:
    plain = json.dumps(reach, ensure_ascii=False, sort_keys=True).encode()
    return keys.seal(plain, owner=seal_owner(firm))


def _said(application: Application[NewT]) -> tuple[object, ...]:
    firm = application.firm
    named = (firm.kind, firm.name_zh, firm.name_en, firm.registration)
    return (*named, application.owner)
