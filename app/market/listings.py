"""Listings (挂牌): units that somebody offers, at a price, in a window; the seller's until held.

Terms are never edited: other terms are another listing. What is listed is not set aside, so a
seller may list the same units twice; each purchase takes its own from what the seller has then.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.market.errors import (
    ListingUnknown,
    MinimumWrong,
    UnitsShort,
    WindowWrong,
)
from app.registry.batches import Batch, find_batch, holdings_of

PREFIX: Final = "lst"
_ADD: Final = """
insert into listing (id, seller, batch, quantity_kg, minimum_kg, price_fen, opens_at, closes_at,
                     listed_by, listed_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_SELECT: Final = """
select l.id, l.seller, o.name_zh, o.name_en, o.account, l.batch, b.number, a.methodology,
       a.version, a.scenario, b.vintage, b.asset, l.quantity_kg, l.taken_kg, l.minimum_kg,
       l.price_fen, l.opens_at, l.closes_at, l.withdrawn_at, o.suspended_at is not null
  from listing l
  join organisation o on o.id = l.seller
  join issue_batch b on b.id = l.batch
  join asset a on a.id = b.reduction"""
_FIND: Final = f"{_SELECT} where l.id = %s"
_LOCK: Final = f"{_SELECT} where l.id = %s for no key update of l"
_OPEN: Final = f"""{_SELECT}
 where l.opens_at <= %(at)s and l.closes_at > %(at)s and l.withdrawn_at is null
   and o.suspended_at is null and l.taken_kg < l.quantity_kg
   and (%(before)s::uuid is null or l.id < %(before)s)
 order by l.id desc limit %(limit)s"""
_OF_SELLER: Final = f"""{_SELECT}
 where l.seller = %(seller)s and (%(before)s::uuid is null or l.id < %(before)s)
 order by l.id desc limit %(limit)s"""
_WITHDRAW: Final = """
update listing set withdrawn_at = %s where id = %s and seller = %s and withdrawn_at is null"""
_TAKE: Final = "update listing set taken_kg = taken_kg + %s where id = %s"


class Terms(NamedTuple):
    """What is offered, and how (挂牌条件)."""

    batch: UUID | None
    """None: whoever asks named no batch."""
    quantity_kg: int
    minimum_kg: int
    price_fen: int
    """For a tonne."""
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """An offer of units, and what is known of them (挂牌)."""

    id: UUID
    seller: UUID
    seller_zh: str
    seller_en: str
    seller_owner: int
    """In the books."""
    batch: UUID
    batch_number: int
    methodology: str
    version: int
    scenario: str
    vintage: date
    asset: int
    """Of the batch's units, in the books."""
    quantity_kg: int
    taken_kg: int
    minimum_kg: int
    price_fen: int
    opens_at: datetime
    closes_at: datetime
    withdrawn_at: datetime | None
    is_seller_suspended: bool

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def left_kg(self) -> int:
        """What no purchase has taken."""
        return self.quantity_kg - self.taken_kg

    def is_open(self, at: datetime) -> bool:
        """Say whether it can be bought from at an instant, as far as it goes."""
        stands = self.withdrawn_at is None and not self.is_seller_suspended
        return stands and self.opens_at <= at < self.closes_at


def list_units(
    session: Session,
    seller: tuple[UUID, int],
    terms: Terms,
    *,
    listing: UUID,
    by: str,
    at: datetime,
) -> Listing:
    """Offer units of a seller: its organisation, and that one's owner in the books.

    Raises:
        WindowWrong, MinimumWrong, BatchUnknown, UnitsShort: See their own words.
    """
    check_terms(session, seller[1], terms, at=at)
    driver(session).execute(_ADD, (listing, seller[0], *terms, by, at))
    return find_listing(session, listing)


def check_terms(session: Session, owner: int, terms: Terms, *, at: datetime) -> Batch:
    """Pass terms that the owner in the books can keep at this moment; gives their batch.

    Raises:
        WindowWrong, MinimumWrong, BatchUnknown, UnitsShort: See their own words.
    """
    if terms.closes_at <= max(at, terms.opens_at):
        raise WindowWrong
    if terms.minimum_kg > terms.quantity_kg:
        raise MinimumWrong
    connection = driver(session)
    batch = find_batch(connection, terms.batch)
    held = {each.batch.id: each.available_kg for each in holdings_of(connection, owner)}
    if held.get(batch.id, 0) < terms.quantity_kg:
        raise UnitsShort(available_kg=held.get(batch.id, 0))
    return batch


def withdraw(session: Session, seller: UUID, listing: UUID | None, *, at: datetime) -> Listing:
    """Take an offer back; purchases that hold of it stand. Again it changes nothing.

    Raises:
        ListingUnknown: The seller has none of this id.
    """
    found = find_listing(session, listing)
    if found.seller != seller:
        raise ListingUnknown
    driver(session).execute(_WITHDRAW, (at, found.id, seller))
    return find_listing(session, found.id)


def find_listing(session: Session, listing: UUID | None) -> Listing:
    """Give a listing, one that is over too.

    Raises:
        ListingUnknown: There is none of this id.
    """
    row = listing and driver(session).execute(_FIND, (listing,)).fetchone()
    if not row:
        raise ListingUnknown
    return Listing(*row)


def lock_listing(session: Session, listing: UUID) -> Listing:
    """Give a listing, held until the end of the transaction; it is there."""
    (row,) = driver(session).execute(_LOCK, (listing,)).fetchall()
    return Listing(*row)


def take(session: Session, listing: UUID, quantity_kg: int) -> None:
    """Count what a purchase takes of a listing that is locked; below zero, what it gives back."""
    driver(session).execute(_TAKE, (quantity_kg, listing))


def open_listings(
    session: Session, *, at: datetime, before: UUID | None, limit: int
) -> list[Listing]:
    """Give what can be bought at an instant, the newest first."""
    facts = {"at": at, "before": before, "limit": limit}
    return [Listing(*row) for row in driver(session).execute(_OPEN, facts).fetchall()]


def listings_of(
    session: Session, seller: UUID, *, before: UUID | None, limit: int
) -> list[Listing]:
    """Give what a seller has ever listed, the newest first."""
    facts = {"seller": seller, "before": before, "limit": limit}
    return [Listing(*row) for row in driver(session).execute(_OF_SELLER, facts).fetchall()]
