"""Paying (付款): a confirmed payment gives the buyer its units, and the seller's side its money.

All of it is one transaction under the purchase's lock. The same payment confirmed again changes
nothing; a payment of what has ended is refused, and told what became of it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.books import post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.market.errors import AmountDiffers, BuyerSuspended, PurchaseEnded, ReferenceUsed
from app.market.payments import Confirmation
from app.market.proceeds import distribute
from app.market.purchases import Purchase, end, lock_purchase
from app.market.retiring import Fate, retire
from app.market.rules import PurchaseState
from app.market.telling import tell_parties
from app.organisations import find_organisation
from app.registry.batches import lock_batch
from app.registry.handing_over import UnitQuantity, legs
from app.registry.recalled import void_given_back
from app.webhooks import NewsKind

NewId = Callable[[], UUID]
NewSalt = Callable[[], bytes]
"""Of 32 random bytes each."""
ALONE_WITHIN: Final = timedelta(days=1)
"""What is confirmed by one alone within it is added up."""
_PAYMENT: Final = """
select from payment
 where purchase = %s and method = %s and known_as = normal_reference(%s) and fen = %s"""
_PAY: Final = """
insert into payment (purchase, method, reference, fen, received_on, confirmed_by, asked_by, paid_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_TURNS: Final = "select pg_advisory_xact_lock(hashtextextended('payments confirmed alone', 0))"
_ALONE: Final = """
select coalesce(sum(y.fen) filter (where y.confirmed_by = %(by)s), 0)::int8,
       coalesce(sum(y.fen) filter (where p.buyer = %(buyer)s), 0)::int8
  from payment y join purchase p on p.id = y.purchase
 where y.asked_by is null and y.paid_at > %(since)s"""


def check_payable(session: Session, purchase: UUID | None, fen: int, *, at: datetime) -> Purchase:
    """Give a purchase, locked, for which so much may be paid at this moment.

    Raises:
        PurchaseUnknown, PurchaseEnded, BuyerSuspended, AmountDiffers: See their own words.
    """
    found = lock_purchase(session, purchase)
    if found.state(at) is not PurchaseState.RESERVED:
        raise PurchaseEnded(state=found.state(at))
    if find_organisation(session, found.buyer).suspended_at is not None:
        raise BuyerSuspended
    if fen != found.due_fen:
        raise AmountDiffers(due_fen=found.due_fen)
    return found


def is_confirmed(session: Session, purchase: UUID | None, told: Confirmation) -> bool:
    """Say whether exactly this payment of a purchase was confirmed before."""
    facts = (purchase, told.method, told.reference, told.fen)
    return driver(session).execute(_PAYMENT, facts).fetchone() is not None


def alone_fen(session: Session, purchase: UUID | None, told: Confirmation, *, at: datetime) -> int:
    """Give what one would have confirmed alone with this, or of this buyer, within a day.

    The larger of the two sums; whoever asks takes turns until the end of the transaction.

    Raises:
        PurchaseUnknown: There is none of this id.
    """
    connection, buyer = driver(session), lock_purchase(session, purchase).buyer
    connection.execute(_TURNS)
    facts = {"by": told.by, "buyer": buyer, "since": at - ALONE_WITHIN}
    ((by_one, of_one),) = connection.execute(_ALONE, facts).fetchall()
    return told.fen + max(by_one, of_one)


def confirm(
    session: Session,
    purchase: UUID | None,
    told: Confirmation,
    *,
    new_id: NewId,
    new_salt: NewSalt,
    at: datetime,
) -> None:
    """Let a payment have its effect, once.

    Raises:
        PurchaseUnknown, PurchaseEnded, BuyerSuspended, AmountDiffers, ReferenceUsed: See their own
            words.
    """
    lock_purchase(session, purchase)
    if is_confirmed(session, purchase, told):
        return
    paid, connection = check_payable(session, purchase, told.fen, at=at), driver(session)
    try:
        connection.execute(_PAY, (paid.id, *told, at))
    except db_errors.UniqueViolation as error:
        raise ReferenceUsed(reference=told.reference) from error
    distribute(session, paid, new_id=new_id, at=at)
    _deliver(session, paid, new_id=new_id, at=at)
    fate, plan = Fate(), paid.plan
    if plan is not None:
        fate = retire(session, paid, plan, new_id=new_id, new_salt=new_salt, at=at)
    end(session, paid, PurchaseState.PAID, **fate._asdict(), at=at)
    tell_parties(session, NewsKind.PURCHASE_PAID, paid, new_id=new_id, at=at)


def _deliver(session: Session, paid: Purchase, *, new_id: NewId, at: datetime) -> None:
    """Move the units that were held from the seller to the buyer: two legs, one cause.

    The money has come: what of them was recalled meanwhile is void, and the buyer gets others.
    """
    lock_batch(driver(session), paid.batch)
    source, target = paid.seller_owner + 1, paid.buyer_owner
    units, today = UnitQuantity(paid.asset, paid.quantity_kg), day_of(at)
    moved = legs(units, source=source, target=target, cause=paid.id, today=today, new_id=new_id)
    post(driver(session), moved)
    void_given_back(session, paid.batch, target, paid.quantity_kg, new_id=new_id, at=at)
