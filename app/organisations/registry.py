"""Organisations as the ledger has them (机构): owner in the books, standing; the operator's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.books import open_owners
from app.firms import NewFirm, Register, Sort
from app.kernel.db import driver
from app.kernel.scopes import Scope
from app.kernel.secrets import Keys
from app.organisations.errors import (
    REFUSALS,
    OperatorOpened,
    OperatorUnknown,
    OrganisationTaken,
)
from ledger.accounts import AccountKind

SORT: Final = Sort(
    "organisation",
    "organisations",
    "org",
    "Organisation",
    "机构",
    Scope.ORGANISATIONS_MANAGE,
    REFUSALS,
)


class OrganisationKind(StrEnum):
    """What sort of organisation takes part."""

    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    """An authority, a school, a hospital, a society."""
    OPERATOR = "operator"
    """The operator's own, which receives the units that are issued; there is one."""


class ApplicantKind(StrEnum):
    """As what an organisation may apply: the operator's own does not."""

    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"


@dataclass(frozen=True, slots=True)
class NewOrganisation(NewFirm):
    """An organisation that shall take part."""

    kind: ApplicantKind | OrganisationKind


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation that takes part (机构)."""

    id: UUID
    owner: int
    """In the books, who holds its reductions, units and fen."""
    kind: OrganisationKind
    name_zh: str
    name_en: str
    registration: str
    approved_at: datetime
    suspended_at: datetime | None

    @property
    def public(self) -> str:
        """The public id, as tokens and records name it."""
        return SORT.named(self.id)


_COLUMNS: Final = """
id, account, kind, name_zh, name_en, registration, approved_at, suspended_at"""
_OPEN: Final = f"""
insert into organisation (id, account, kind, name_zh, name_en, registration, approved_at)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (registration) do nothing returning {_COLUMNS}"""  # noqa: S608 -- columns of our own
_OPERATOR: Final = f"select {_COLUMNS} from organisation where kind = 'operator'"  # noqa: S608 -- likewise
_OF_OWNERS: Final = f"select {_COLUMNS} from organisation where account = any(%s)"  # noqa: S608 -- likewise
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('organisation operator', 0))"


def _organisation(id_: UUID, owner: int, kind: str, *rest: Any) -> Organisation:  # noqa: ANN401 -- the columns of the statements
    return Organisation(id_, owner, OrganisationKind(kind), *rest)


ORGANISATIONS: Final = Register(SORT, _COLUMNS, _organisation)
find_organisation = ORGANISATIONS.find


def open_organisation(session: Session, keys: Keys, new: NewFirm, *, at: datetime) -> Organisation:
    """Open an organisation, and its owner in the books.

    Raises:
        OrganisationTaken: Another organisation has its code.
    """
    connection = driver(session)
    (owner,) = open_owners(connection, keys, AccountKind.ORGANISATION, 1, at=at)
    named = (new.kind.value, new.name_zh, new.name_en, new.registration)
    row = connection.execute(_OPEN, (new.id, owner, *named, at)).fetchone()
    if row is None:
        raise OrganisationTaken(registration=new.registration)
    return _organisation(*row)


def open_operator(
    session: Session, keys: Keys, new: NewOrganisation, *, at: datetime
) -> Organisation:
    """Open the operator's own organisation; the same one asked for again is the first.

    Raises:
        OperatorOpened: It was opened under other names or another code.
        OrganisationTaken: Another organisation has its code.
    """
    assert new.kind == OrganisationKind.OPERATOR, new
    driver(session).execute(_LOCK)
    found = _operator(session)
    if found is None:
        return open_organisation(session, keys, new, at=at)
    if (found.name_zh, found.name_en, found.registration) != _named(new):
        raise OperatorOpened(registration=found.registration)
    return found


def operator_of(session: Session) -> Organisation:
    """Give the operator's own organisation.

    Raises:
        OperatorUnknown: It was not opened yet.
    """
    found = _operator(session)
    if found is None:
        raise OperatorUnknown
    return found


def organisations_of(session: Session, owners: Sequence[int]) -> dict[int, Organisation]:
    """Give the organisations that some owners in the books are, by owner."""
    rows = driver(session).execute(_OF_OWNERS, (list(owners),)).fetchall()
    return {each.owner: each for each in (_organisation(*row) for row in rows)}


def _named(new: NewOrganisation) -> tuple[str, str, str]:
    return new.name_zh, new.name_en, new.registration


def _operator(session: Session) -> Organisation | None:
    row = driver(session).execute(_OPERATOR).fetchone()
    return None if row is None else _organisation(*row)
