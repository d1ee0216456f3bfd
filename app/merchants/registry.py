"""Merchants as the ledger has them (商户): owner in the books, terms, standing."""

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
from app.merchants.errors import REFUSALS, MerchantUnknown, RegistrationTaken
from ledger.accounts import AccountKind

PREFIX: Final = "mer"
SORT: Final = Sort(
    "merchant", "merchants", PREFIX, "Merchant", "商户", Scope.MERCHANTS_MANAGE, REFUSALS
)


class MerchantKind(StrEnum):
    """What a merchant sells for."""

    BUSINESS = "business"
    PUBLIC_BENEFIT = "public_benefit"
    """A public cause, to which people give."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator agreed with a merchant."""

    fee_permille: int
    """Of the fen of a settlement, kept by the programmes' budgets."""
    offline_cap_points: int
    """What its tills may redeem unseen at a time."""


@dataclass(frozen=True, slots=True)
class NewMerchant(NewFirm):
    """An organisation that shall sell for points."""

    kind: MerchantKind


@dataclass(frozen=True, slots=True)
class Merchant:
    """An organisation that sells for points (商户)."""

    id: UUID
    owner: int
    """In the books, who holds its fen."""
    kind: MerchantKind
    name_zh: str
    name_en: str
    registration: str
    terms: Terms
    approved_at: datetime
    suspended_at: datetime | None

    @property
    def public(self) -> str:
        """The public id, as tokens and records name it."""
        return SORT.named(self.id)


_COLUMNS: Final = """
id, account, kind, name_zh, name_en, registration, fee_permille, offline_cap_points, approved_at,
suspended_at"""
_OPEN: Final = f"""
insert into merchant (id, account, kind, name_zh, name_en, registration, fee_permille,
                      offline_cap_points, approved_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (registration) do nothing returning {_COLUMNS}"""  # noqa: S608 -- columns of our own
_TERMS: Final = "update merchant set fee_permille = %s, offline_cap_points = %s where id = %s"


def _merchant(  # noqa: PLR0917 -- the columns of the statements
    id_: UUID,
    owner: int,
    kind: str,
    name_zh: str,
    name_en: str,
    registration: str,
    fee_permille: int,
    offline_cap_points: int,
    *standing: Any,  # noqa: ANN401 -- likewise
) -> Merchant:
    terms = Terms(fee_permille, offline_cap_points)
    named = (MerchantKind(kind), name_zh, name_en, registration)
    return Merchant(id_, owner, *named, terms, *standing)


MERCHANTS: Final = Register(SORT, _COLUMNS, _merchant)
find_merchant, merchants = MERCHANTS.find, MERCHANTS.listed
suspend_merchant, resume_merchant = MERCHANTS.suspend, MERCHANTS.resume


def open_merchant(
    session: Session, keys: Keys, merchant: NewMerchant, terms: Terms, *, at: datetime
) -> Merchant:
    """Open a merchant, and its owner in the books.

    Raises:
        RegistrationTaken: Another merchant has its code.
    """
    connection = driver(session)
    (owner,) = open_owners(connection, keys, AccountKind.MERCHANT, 1, at=at)
    row = connection.execute(
        _OPEN,
        (
            merchant.id,
            owner,
            merchant.kind.value,
            merchant.name_zh,
            merchant.name_en,
            merchant.registration,
            terms.fee_permille,
            terms.offline_cap_points,
            at,
        ),
    ).fetchone()
    if row is None:
        raise RegistrationTaken(registration=merchant.registration)
    return _merchant(*row)


def change_terms(session: Session, merchant: UUID, terms: Terms) -> None:
    """Give a merchant other terms, from the next redemption and statement on.

    Raises:
        MerchantUnknown: There is none.
    """
    row = (terms.fee_permille, terms.offline_cap_points, merchant)
    if driver(session).execute(_TERMS, row).rowcount == 0:
        raise MerchantUnknown
