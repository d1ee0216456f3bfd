"""Applications (入驻申请): what an organisation sends, and what becomes of it.

The enrolment hash names an application, so that whoever sends it again after a lost answer makes
no second one. Contact and bank account are sealed; a refusal forgets them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.merchants.errors import ApplicationChanged, ApplicationDecided, ApplicationUnknown
from app.merchants.people import MemberRole, MerchantUser, add_user
from app.merchants.registry import PREFIX, Merchant, MerchantKind, NewMerchant, Terms, open_merchant
from app.staff.credentials import seal_owner

Reach = Mapping[str, Mapping[str, str]]
"""``contact`` and ``bank``, each with its fields."""


@dataclass(frozen=True, slots=True)
class FirstOwner:
    """Who shall keep the merchant's affairs from its first day."""

    login: str
    name: str | None
    """None once the application is refused."""
    enrolment: bytes
    """SHA-256 of the secret by which they enrol."""


@dataclass(frozen=True, slots=True)
class Application:
    """An organisation's wish to sell for points (入驻申请)."""

    merchant: NewMerchant
    owner: FirstOwner
    applied_at: datetime
    approved_at: datetime | None = None
    refused_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id, which becomes the merchant's."""
        return public_id(PREFIX, self.merchant.id)


_COLUMNS: Final = """
id, kind, name_zh, name_en, registration, login, person, enrolment, applied_at, approved_at,
refused_at"""
_APPLY: Final = """
insert into merchant_application (id, kind, name_zh, name_en, registration, login, person,
                                  enrolment, applied_at, contact)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (enrolment) do nothing"""
_NAMED: Final = f"select {_COLUMNS} from merchant_application where enrolment = %s"  # noqa: S608 -- columns of our own
_FIND: Final = f"select {_COLUMNS} from merchant_application where id = %s"  # noqa: S608 -- likewise
_LOCK: Final = f"{_FIND} for update"
_LIST: Final = f"""
select {_COLUMNS} from merchant_application
 where (%s::boolean is null or (approved_at is null and refused_at is null) = %s)
   and (%s::uuid is null or id < %s)
 order by id desc limit %s"""  # noqa: S608 -- likewise
_REACH: Final = "select contact from merchant_application where id = %s and contact is not null"
_APPROVE: Final = "update merchant_application set approved_at = %s where id = %s"
_REFUSE: Final = """
update merchant_application set refused_at = %s, contact = null, person = null where id = %s"""


def seal_reach(keys: Keys, merchant: UUID, reach: Reach) -> bytes:
    """Seal contact and bank account for the one that they are of."""
    plain = json.dumps(reach, ensure_ascii=False, sort_keys=True).encode()
    return keys.seal(plain, owner=seal_owner(merchant))


def reach_of(session: Session, keys: Keys, merchant: UUID) -> Reach:
    """Give contact and bank account of an applicant or a merchant.

    Raises:
        ApplicationUnknown: There is none, or it was refused and they are forgotten.
    """
    row = driver(session).execute(_REACH, (merchant,)).fetchone()
    if row is None:
        raise ApplicationUnknown
    return json.loads(keys.open(bytes(row[0]), owner=seal_owner(merchant)))


def apply(session: Session, keys: Keys, wish: Application, reach: Reach) -> Application:
    """Keep an application; the same one sent again is the first.

    Raises:
        ApplicationChanged: Something else was sent before with its enrolment secret.
        ApplicationDecided: It was decided on meanwhile.
    """
    connection, merchant, owner = driver(session), wish.merchant, wish.owner
    row = (
        merchant.id,
        merchant.kind.value,
        merchant.name_zh,
        merchant.name_en,
        merchant.registration,
        owner.login,
        owner.name,
        owner.enrolment,
        wish.applied_at,
        seal_reach(keys, merchant.id, reach),
    )
    if connection.execute(_APPLY, row).rowcount:
        return wish
    first = _found(connection.execute(_NAMED, (owner.enrolment,)).fetchone())
    _refuse_decided(first)
    if _said(first) != _said(wish) or reach_of(session, keys, first.merchant.id) != reach:
        raise ApplicationChanged
    return first


def find_application(session: Session, application: UUID | None) -> Application:
    """Give an application, a decided one too.

    Raises:
        ApplicationUnknown: There is none.
    """
    return _found(driver(session).execute(_FIND, (application,)).fetchone())


def applications(
    session: Session, *, is_open: bool | None, before: UUID | None, limit: int
) -> Sequence[Application]:
    """List applications, the newest first."""
    rows = driver(session).execute(_LIST, (is_open, is_open, before, before, limit)).fetchall()
    return [_application(row) for row in rows]


def open_application(session: Session, application: UUID | None) -> Application:
    """Give an application that awaits its decision, until this transaction ends.

    Raises:
        ApplicationUnknown, ApplicationDecided: See their own words.
    """
    found = _found(driver(session).execute(_LOCK, (application,)).fetchone())
    _refuse_decided(found)
    return found


def approve(
    session: Session, keys: Keys, application: UUID, terms: Terms, *, owner: UUID, at: datetime
) -> Merchant:
    """Make a merchant of an application, with its first owner, who may enrol from now on.

    Raises:
        ApplicationUnknown, ApplicationDecided, RegistrationTaken, LoginTaken: See their own words.
    """
    found = open_application(session, application)
    made = open_merchant(session, keys, found.merchant, terms, at=at)
    login, name = found.owner.login, found.owner.name or ""
    user = MerchantUser(owner, made.id, login, name, MemberRole.OWNER, at)
    add_user(session, user, found.owner.enrolment)
    driver(session).execute(_APPROVE, (at, application))
    return made


def refuse(session: Session, application: UUID, *, at: datetime) -> None:
    """Refuse an application, and forget whom to reach and where to pay.

    Raises:
        ApplicationUnknown, ApplicationDecided: See their own words.
    """
    open_application(session, application)
    driver(session).execute(_REFUSE, (at, application))


def _refuse_decided(application: Application) -> None:
    if application.approved_at is not None or application.refused_at is not None:
        raise ApplicationDecided


def _said(application: Application) -> tuple[object, ...]:
    merchant = application.merchant
    named = (merchant.kind, merchant.name_zh, merchant.name_en, merchant.registration)
    return (*named, application.owner)


def _found(row: tuple[Any, ...] | None) -> Application:
    if row is None:
        raise ApplicationUnknown
    return _application(row)


def _application(row: tuple[Any, ...]) -> Application:
    id_, kind, name_zh, name_en, registration, login, person, enrolment, *times = row
    merchant = NewMerchant(id_, MerchantKind(kind), name_zh, name_en, registration)
    return Application(merchant, FirstOwner(login, person, bytes(enrolment)), *times)
