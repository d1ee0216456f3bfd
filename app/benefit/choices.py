"""What a citizen lets be given (公益设置): off until they choose it, and ended by one call."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.benefit.cancellations import find_cancellation
from app.benefit.errors import CancellationOver, DonationUnknown
from app.citizens import lock_citizen
from app.kernel.clock import day_of
from app.kernel.db import driver
from ledger.accounts import bucket_of

_READ: Final = """
select cancellation, offer, chosen_at from benefit_choice where bucket = %s and account = %s"""
_CHOOSE: Final = """
insert into benefit_choice (bucket, account, cancellation, offer, chosen_at)
values (%s, %s, %s, %s, %s)
on conflict (bucket, account) do update
  set cancellation = excluded.cancellation, offer = excluded.offer,
      chosen_at = excluded.chosen_at"""
_WITHDRAW: Final = "delete from benefit_choice where bucket = %s and account = %s"
_DONATION: Final = """
select 1 from offer o join merchant m on m.id = o.merchant
 where o.id = %s and o.kind = 'donation' and o.state = 'published' and o.sale_to > %s
   and m.kind = 'public_benefit' and m.suspended_at is null"""


class Choice(NamedTuple):
    """What may be given, and to whom; nothing where nothing is named."""

    cancellation: UUID | None = None
    """Which public cancellation residual milligrams join."""
    offer: UUID | None = None
    """Which donation takes points on their last day."""
    chosen_at: datetime | None = None


def choice_of(session: Session, owner: int) -> Choice:
    """Give what a citizen chose."""
    row = driver(session).execute(_READ, (bucket_of(owner), owner)).fetchone()
    return Choice() if row is None else Choice(*row)


def choose(
    session: Session, owner: int, cancellation: UUID | None, offer: UUID | None, *, at: datetime
) -> Choice:
    """Make a citizen's choice exactly this; naming nothing withdraws it.

    Raises:
        TokenInvalid: They were erased.
        CancellationUnknown, CancellationOver, DonationUnknown: See their own words.
    """
    connection, place = driver(session), (bucket_of(owner), owner)
    lock_citizen(session, *place)
    if cancellation is not None and find_cancellation(session, cancellation).ends_on < day_of(at):
        raise CancellationOver
    if offer is not None and connection.execute(_DONATION, (offer, at)).fetchone() is None:
        raise DonationUnknown
    if cancellation is None and offer is None:
        withdraw(session, owner)
        return Choice()
    connection.execute(_CHOOSE, (*place, cancellation, offer, at))
    return Choice(cancellation, offer, at)


def withdraw(session: Session, owner: int) -> None:
    """End a citizen's choice: once it is answered, nothing more of theirs is given.

    It waits for a night that has begun, which locks the row.
    """
    driver(session).execute(_WITHDRAW, (bucket_of(owner), owner))
