"""Quotes (报价): what a quantity costs one buyer until an instant. Nothing is reserved by one."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.market.errors import (
    BelowMinimum,
    ListingClosed,
    ListingOwn,
    QuotesOpen,
    QuoteUnknown,
    SoldOut,
)
from app.market.listings import Listing, find_listing
from app.market.rules import due_fen, is_enough

PREFIX: Final = "quo"
OPEN_MOST: Final = 100
"""So many quotes of one buyer may be open at once; each is a row that stays."""
_TURNS: Final = "select pg_advisory_xact_lock(hashtextextended('market buyer ' || %s, 0))"
_OPEN: Final = "select count(*) from quote where buyer = %s and expires_at > %s"
_ADD: Final = """
insert into quote (id, listing, buyer, quantity_kg, due_fen, quoted_by, quoted_at, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_FIND: Final = """
select id, listing, buyer, quantity_kg, due_fen, quoted_at, expires_at
  from quote where buyer = %s and id = %s"""


class Quote(NamedTuple):
    """What a quantity costs a buyer (报价)."""

    id: UUID
    listing: UUID
    buyer: UUID
    quantity_kg: int
    due_fen: int
    quoted_at: datetime
    expires_at: datetime

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


def quote(
    session: Session,
    buyer: UUID,
    listing: UUID | None,
    quantity_kg: int,
    *,
    quote: UUID,
    by: str,
    valid_for: timedelta,
    at: datetime,
) -> Quote:
    """Say what a quantity costs, until the quote expires or its listing closes.

    Raises:
        ListingUnknown, ListingClosed, ListingOwn, SoldOut, BelowMinimum: See their own words.
        QuotesOpen: The buyer has as many open as one may have.
    """
    found = find_listing(session, listing)
    check_wanted(found, buyer, quantity_kg, at=at)
    take_turns(session, buyer)
    ((is_open,),) = driver(session).execute(_OPEN, (buyer, at)).fetchall()
    if is_open >= OPEN_MOST:
        raise QuotesOpen(most=OPEN_MOST)
    due, until = due_fen(quantity_kg, found.price_fen), min(at + valid_for, found.closes_at)
    facts = (quote, found.id, buyer, quantity_kg, due, by, at, until)
    driver(session).execute(_ADD, facts)
    return Quote(quote, found.id, buyer, quantity_kg, due, at, until)


def find_quote(session: Session, buyer: UUID, quote: UUID | None) -> Quote:
    """Give a quote of a buyer.

    Raises:
        QuoteUnknown: It has none of this id.
    """
    row = quote and driver(session).execute(_FIND, (buyer, quote)).fetchone()
    if not row:
        raise QuoteUnknown
    return Quote(*row)


def take_turns(session: Session, buyer: UUID) -> None:
    """Let one buyer's quotes and purchases be counted one after another."""
    driver(session).execute(_TURNS, (str(buyer),))


def check_wanted(listing: Listing, buyer: UUID, quantity_kg: int, *, at: datetime) -> None:
    """Pass a quantity that a buyer may have of a listing at this moment.

    Raises:
        ListingClosed, ListingOwn, SoldOut, BelowMinimum: See their own words.
    """
    if not listing.is_open(at):
        raise ListingClosed
    if listing.seller == buyer:
        raise ListingOwn
    if quantity_kg > listing.left_kg:
        raise SoldOut(left_kg=listing.left_kg)
    if not is_enough(quantity_kg, listing.minimum_kg, listing.left_kg):
        raise BelowMinimum(minimum_kg=listing.minimum_kg)
