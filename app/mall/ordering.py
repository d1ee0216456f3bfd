"""Ordering (下单): reserve points and stock for a voucher, give them back, open it offline.

Each deed is a function of the schema (docs/decisions/0029); here it is called, and what it refuses
is told.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import psycopg
from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.mall.order_errors import OfflineOpen, OrderEnded, OrderUnknown, refused_by

OFFLINE_FOR: Final = timedelta(hours=4)
"""How long a voucher that was made ready for it may be taken without a network."""
_PLACE: Final = """
select place_order(%s::int2, %s::int8, %s, %s, %s, %s, %s::int4, %s::int8, %s::int8, %s::int2,
                   %s, %s, %s, %s)"""
RELEASE: Final = "select was, is_now from release_order(%s::int2, %s::int8, %s, %s, %s, %s)"
_OPEN: Final = "select open_offline(%s::int2, %s::int8, %s, %s, %s)"


class Wish(NamedTuple):
    """What is ordered, at the price and in the version that were shown."""

    offer: UUID
    version: int
    price_points: int
    price_fen: int
    """Paid besides at the till, a piece."""
    quantity: int


class OrderIds(NamedTuple):
    """The ids of a new order, made by whoever asks so that a second try has the same."""

    order: UUID
    voucher: UUID
    code: bytes
    """Keyed hash of the printed code."""
    held: UUID
    """Of the transfers to held."""
    redeemed: UUID
    """Of the transfers of a donation, which is redeemed at once."""


def place(
    session: Session, bucket: int, owner: int, wish: Wish, ids: OrderIds, *, at: datetime
) -> None:
    """Reserve: points by earliest expiry to held, units of the offer, limits; all of it or nothing.

    Raises:
        OfferUnknown, OfferClosed, PriceChanged, PointsShort, PersonLimit, DayLimit, SoldOut,
        Leaving: See their own words.
    """
    facts = (bucket, owner, ids.order, ids.voucher, ids.code, *wish, ids.held, ids.redeemed)
    with _refusals():
        driver(session).execute(_PLACE, (*facts, at, day_of(at)))


def cancel(
    session: Session, bucket: int, owner: int, order: UUID, *, released: UUID, at: datetime
) -> None:
    """Give everything that an order reserves back; ``released`` is the id of its transfers.

    Raises:
        OrderUnknown, OrderEnded, OfflineOpen: See their own words.
    """
    facts = (bucket, owner, order, released, at, day_of(at))
    row = driver(session).execute(RELEASE, facts).fetchone()
    was, is_now = row or (None, None)
    if was is None:
        raise OrderUnknown
    if (was, is_now) == ("reserved", "reserved"):
        raise OfflineOpen
    if (was, is_now) != ("reserved", "cancelled"):
        raise OrderEnded(state=is_now)


def open_offline(
    session: Session, bucket: int, owner: int, order: UUID, *, at: datetime
) -> datetime:
    """Make an order ready for tills without a network; gives until when. The same while it lasts.

    Raises:
        OrderUnknown, OrderEnded, OfflineCap: See their own words.
    """
    with _refusals():
        facts = (bucket, owner, order, at + OFFLINE_FOR, at)
        row = driver(session).execute(_OPEN, facts).fetchone()
    assert row is not None, order
    return row[0]


@contextmanager
def _refusals() -> Generator[None]:
    """Tell a refusal of the schema as one."""
    try:
        yield
    except psycopg.Error as error:
        refusal = refused_by(error)
        if refusal is None:
            raise
        raise refusal from None
