"""Purchases (购买): a quantity held for its buyer until it is paid for, or until an instant.

The seller's units lie on its held account meanwhile. Whoever ends a purchase locks its row first
and then its listing's, so that it ends once: payment, expiry and cancellation that race are one of
them, and the others are told of that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Overdrawn, Row, post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.market.errors import (
    PurchaseEnded,
    PurchasesOpen,
    PurchaseUnknown,
    QuoteExpired,
    QuoteUsed,
    UnitsShort,
)
from app.market.listings import lock_listing, take
from app.market.quotes import check_wanted, find_quote, take_turns
from app.market.rules import PurchaseState, state_at
from app.registry.batches import lock_batch
from app.registry.passport import UnitUse, check_passport
from app.registry.recalled import NewId, void_given_back
from ledger.accounts import bucket_of
from ledger.certificate import Purpose
from ledger.chart import Code

PREFIX: Final = "pur"
OPEN_MOST: Final = 50
"""So many purchases of one buyer may await payment at once."""
_SELECT: Final = """
select p.id, p.quote, p.listing, p.seller, s.account, p.buyer, b.account, p.batch, i.asset,
       p.quantity_kg, p.due_fen, p.purpose, p.period, p.beneficiary, p.message, p.shows,
       p.bought_by, p.bought_at, p.expires_at, p.ended_at, p.outcome, p.retirement, p.unretired
  from purchase p
  join organisation s on s.id = p.seller
  join organisation b on b.id = p.buyer
  join issue_batch i on i.id = p.batch"""
_OF_BUYER: Final = f"{_SELECT} where p.buyer = %s and p.id = %s"
_LOCK: Final = f"{_SELECT} where p.id = %s for no key update of p"
_LIST: Final = f"""{_SELECT}
 where (%(buyer)s::uuid is null or p.buyer = %(buyer)s)
   and (not %(is_open)s or p.ended_at is null and p.expires_at > %(at)s)
   and (%(before)s::uuid is null or p.id < %(before)s)
 order by p.id desc limit %(limit)s"""
_USED: Final = "select 1 from purchase where quote = %s"
_OPEN: Final = """
select count(*) from purchase where buyer = %s and ended_at is null and expires_at > %s"""
_ADD: Final = """
insert into purchase (id, quote, listing, seller, buyer, batch, quantity_kg, due_fen, purpose,
                      period, beneficiary, message, shows, bought_by, bought_at, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_END: Final = """
update purchase set ended_at = %s, outcome = %s, retirement = %s, unretired = %s,
       beneficiary = null, message = null
 where id = %s"""
_PROLONG: Final = """
update purchase set expires_at = greatest(expires_at, %s) where id = %s"""


class RetirementPlan(NamedTuple):
    """What shall become of units as soon as they are paid for (购后即注销)."""

    purpose: Purpose
    period: str | None = None
    beneficiary: str | None = None
    """For whom, if not for the buyer itself."""
    message: str | None = None
    shows: Sequence[str] = ()
    """Which of ``ledger.certificate.TEXTS`` the certificate shows to anybody."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """A quantity that somebody buys (购买)."""

    id: UUID
    quote: UUID
    listing: UUID
    seller: UUID
    seller_owner: int
    """In the books."""
    buyer: UUID
    buyer_owner: int
    batch: UUID
    asset: int
    """Of the units, in the books."""
    quantity_kg: int
    due_fen: int
    purpose: Purpose | None
    period: str | None
    beneficiary: str | None
    """Until it ends, as is `message`."""
    message: str | None
    shows: Sequence[str]
    bought_by: str
    bought_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    outcome: str | None
    retirement: UUID | None
    unretired: str | None
    """Why it was not retired after all."""

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def plan(self) -> RetirementPlan | None:
        """What shall become of the units; none: they are the buyer's."""
        if self.purpose is None:
            return None
        words = (self.beneficiary, self.message)
        return RetirementPlan(self.purpose, self.period, *words, self.shows)

    def state(self, at: datetime) -> PurchaseState:
        """Give its state at an instant."""
        return state_at(self.outcome, self.expires_at, at)


class Buying(NamedTuple):
    """Who buys, and until when what they buy is held."""

    organisation: UUID
    owner: int
    by: str
    """Who asks for it, by public id."""
    hold_for: timedelta


def buy(
    session: Session,
    buying: Buying,
    quote: UUID | None,
    plan: RetirementPlan | None,
    *,
    purchase: UUID,
    held: UUID,
    at: datetime,
) -> Purchase:
    """Hold what a quote names for its buyer; ``held`` is the id of the transfer.

    Raises:
        QuoteUnknown, QuoteExpired, QuoteUsed, ListingClosed, ListingOwn, SoldOut, BelowMinimum,
        UnitsShort: See their own words.
        PurchasesOpen: The buyer has as many as may await payment.
        PurposeRefused: What it shall be retired for is closed to it; so do the passport's others.
    """
    connection, buyer = driver(session), buying.organisation
    told = find_quote(session, buyer, quote)
    take_turns(session, buyer)
    listing = lock_listing(session, told.listing)
    if connection.execute(_USED, (told.id,)).fetchone() is not None:
        raise QuoteUsed
    if told.expires_at <= at:
        raise QuoteExpired
    check_wanted(listing, buyer, told.quantity_kg, at=at)
    ((is_open,),) = connection.execute(_OPEN, (buyer, at)).fetchall()
    if is_open >= OPEN_MOST:
        raise PurchasesOpen(most=OPEN_MOST)
    if plan is not None:
        facts = (listing.batch, plan.purpose, told.quantity_kg, plan.period)
        check_passport(session, UnitUse(buying.owner, *facts), at=at)
    take(session, listing.id, told.quantity_kg)
    parties = (listing.seller, buyer, listing.batch)
    planned: tuple[object, ...] = (None, None, None, None, list[str]())
    if plan is not None:
        words = (plan.period, plan.beneficiary, plan.message)
        planned = (int(plan.purpose), *words, [*plan.shows])
    until = at + buying.hold_for
    connection.execute(
        _ADD,
        (
            *(purchase, told.id, listing.id, *parties, told.quantity_kg, told.due_fen),
            *(*planned, buying.by, at, until),
        ),
    )
    seller, today = listing.seller_owner, day_of(at)
    story = (listing.asset, told.quantity_kg, int(Code.HOLD), purchase, today)
    try:
        post(connection, [Row(bucket_of(seller), today, held, seller, seller + 1, *story)])
    except Overdrawn as error:
        raise UnitsShort from error
    return find_purchase(session, buyer, purchase)


def cancel(
    session: Session, buyer: UUID, purchase: UUID | None, *, new_id: NewId, at: datetime
) -> Purchase:
    """Let go of what a purchase holds.

    Raises:
        PurchaseUnknown: The buyer has none of this id.
        PurchaseEnded: It ended before, as it says.
    """
    found = lock_purchase(session, find_purchase(session, buyer, purchase).id)
    if found.state(at) is not PurchaseState.RESERVED:
        raise PurchaseEnded(state=found.state(at))
    release(session, found, PurchaseState.CANCELLED, new_id=new_id, at=at)
    return find_purchase(session, buyer, found.id)


def release(
    session: Session, purchase: Purchase, outcome: PurchaseState, *, new_id: NewId, at: datetime
) -> None:
    """End a purchase that is locked and not paid for: its units are the seller's again.

    What of them was recalled meanwhile is void.
    """
    end(session, purchase, outcome, at=at)
    listing, today, seller = purchase.listing, day_of(at), purchase.seller_owner
    lock_listing(session, listing)
    take(session, listing, -purchase.quantity_kg)
    lock_batch(driver(session), purchase.batch)
    story = (purchase.asset, purchase.quantity_kg, int(Code.RELEASE), purchase.id, today)
    row = Row(bucket_of(seller), today, new_id(), seller + 1, seller, *story)
    post(driver(session), [row])
    units = (session, purchase.batch, seller, purchase.quantity_kg)
    void_given_back(*units, new_id=new_id, at=at)


def end(
    session: Session,
    purchase: Purchase,
    outcome: PurchaseState,
    *,
    retirement: UUID | None = None,
    unretired: str | None = None,
    at: datetime,
) -> None:
    """Write down how a purchase ended, and forget the words that waited for it."""
    facts = (at, outcome.value, retirement, unretired, purchase.id)
    driver(session).execute(_END, facts)


def prolong(session: Session, purchase: UUID, *, until: datetime) -> None:
    """Hold a purchase that is locked until an instant at least: its payment was seen."""
    driver(session).execute(_PROLONG, (until, purchase))


def find_purchase(session: Session, buyer: UUID, purchase: UUID | None) -> Purchase:
    """Give a purchase of a buyer.

    Raises:
        PurchaseUnknown: It has none of this id.
    """
    row = purchase and driver(session).execute(_OF_BUYER, (buyer, purchase)).fetchone()
    if not row:
        raise PurchaseUnknown
    return _purchase(*row)


def lock_purchase(session: Session, purchase: UUID | None) -> Purchase:
    """Give a purchase of anybody's, held until the end of the transaction.

    Raises:
        PurchaseUnknown: There is none of this id.
    """
    row = purchase and driver(session).execute(_LOCK, (purchase,)).fetchone()
    if not row:
        raise PurchaseUnknown
    return _purchase(*row)


def purchases(
    session: Session,
    buyer: UUID | None,
    *,
    is_open: bool = False,
    before: UUID | None,
    limit: int,
    at: datetime,
) -> list[Purchase]:
    """List purchases, the newest first: one buyer's, or without one everybody's."""
    facts = {"buyer": buyer, "is_open": is_open, "before": before, "limit": limit, "at": at}
    return [_purchase(*row) for row in driver(session).execute(_LIST, facts).fetchall()]


def _purchase(*row: Any) -> Purchase:  # noqa: ANN401 -- the columns of the statements
    found = Purchase(*row)
    return replace(found, purpose=found.purpose and Purpose(found.purpose))
