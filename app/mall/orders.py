"""Orders (订单) as they are read: of one citizen, the newest first, with the classes that pay."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.mall.order_errors import OfferClosed, OfferUnknown, OrderUnknown, VoucherUnknown

TELLING: Final = timedelta(days=1)
"""How long after a token's end a till may tell that it took it."""
_ORDERS: Final = """
select o.id, o.voucher, o.state, o.offer, o.offer_version, o.kind, o.title_zh, o.title_en,
       o.merchant, m.name_zh, m.name_en, o.quantity, o.points, o.fen, o.placed_at, o.ends_at,
       o.ended_at, o.offline_until
  from mall_order o
  join merchant m on m.id = o.merchant
 where o.bucket = %(bucket)s and o.account = %(owner)s"""
_BEFORE: Final = f"{_ORDERS} and o.id < %(before)s order by o.id desc limit %(limit)s"
_ONE: Final = f"{_ORDERS} and o.id = %(order)s"
_OF_VOUCHER: Final = f"{_ORDERS} and o.voucher = %(voucher)s"
_PARTS: Final = """
select p.mall_order, x.programme, x.expires, p.points
  from order_part p join asset x on x.id = p.asset
 where p.bucket = %s and p.account = %s and p.mall_order = any(%s)
 order by x.expires, p.asset"""
_PRICE: Final = """
select o.version, o.price_points, o.price_fen,
       o.state = 'published' and m.suspended_at is null
       and o.sale_from <= %(at)s and %(at)s < o.sale_to
  from offer o join merchant m on m.id = o.merchant
 where o.id = %(offer)s and o.state in ('published', 'withdrawn')"""
_SPENDABLE: Final = """
select x.programme, x.expires, b.credits - b.debits
  from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = %s and b.asset & 7 = 3 and b.credits > b.debits
   and x.expires >= %s and x.fen_per_point > 0
 order by x.expires, b.asset"""


class Part(NamedTuple):
    """Points of one class."""

    programme: str
    expires: date
    points: int


class OrderRow(NamedTuple):
    """An order as its row says it: what was bought, of whom, for how much, and its state."""

    id: UUID
    voucher: UUID
    state: str
    offer: UUID
    offer_version: int
    kind: str
    title_zh: str
    title_en: str
    merchant: UUID
    merchant_zh: str
    merchant_en: str
    quantity: int
    points: int
    fen: int
    placed_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    offline_until: datetime | None

    def state_at(self, at: datetime) -> str:
        """Give its state: past its end it is expired, whatever the job has done.

        While a till may still tell of a token of it, it is reserved: it can yet be redeemed.
        """
        told_by = self.ends_at if self.offline_until is None else self.offline_until + TELLING
        is_over = max(self.ends_at, told_by) <= at
        return "expired" if self.state == "reserved" and is_over else self.state


class Order(NamedTuple):
    """An order, and the classes of points that pay for it: earliest expiry first."""

    row: OrderRow
    parts: Sequence[Part]


class OrderQuote(NamedTuple):
    """What an order would take now; nothing is promised by it."""

    version: int
    points: int
    fen: int
    parts: Sequence[Part]
    available: int
    """Points that could pay, of every class together."""

    @property
    def missing(self) -> int:
        """Points that are lacking."""
        return self.points - sum(part.points for part in self.parts)


def paying(classes: Iterable[Part], due: int) -> list[Part]:
    """Choose what pays: of classes in order of expiry, then age, as much as is due.

    >>> paying([Part("a", date(2026, 1, 1), 3), Part("b", date(2027, 1, 1), 9)], 5)[1].points
    2
    >>> paying([], 5)
    []
    """
    chosen: list[Part] = []
    for each in classes:
        taken = min(due, each.points)
        if taken:
            chosen.append(each._replace(points=taken))
        due -= taken
    return chosen


def order_quote(
    session: Session, bucket: int, owner: int, offer: UUID, quantity: int, *, at: datetime
) -> OrderQuote:
    """Say what an order would take, and from which classes.

    Raises:
        OfferUnknown, OfferClosed: As an order of it would be refused.
    """
    connection = driver(session)
    price = connection.execute(_PRICE, {"offer": offer, "at": at}).fetchone()
    if price is None:
        raise OfferUnknown
    version, points, fen, is_open = price
    if not is_open:
        raise OfferClosed
    held = [Part(*row) for row in connection.execute(_SPENDABLE, (bucket, owner, day_of(at)))]
    due = points * quantity
    available = sum(each.points for each in held)
    return OrderQuote(version, due, fen * quantity, paying(held, due), available)


def orders_of(
    session: Session, bucket: int, owner: int, *, before: UUID, limit: int
) -> list[Order]:
    """List a citizen's orders, the newest first."""
    facts = {"bucket": bucket, "owner": owner, "before": before, "limit": limit}
    connection = driver(session)
    rows = [OrderRow(*row) for row in connection.execute(_BEFORE, facts)]
    return _with_parts(connection, bucket, owner, rows)


def order_of(session: Session, bucket: int, owner: int, order: UUID) -> Order:
    """Find one order of a citizen.

    Raises:
        OrderUnknown: They have none of this id.
    """
    facts = {"bucket": bucket, "owner": owner, "order": order}
    connection = driver(session)
    rows = [OrderRow(*row) for row in connection.execute(_ONE, facts)]
    if not rows:
        raise OrderUnknown
    return _with_parts(connection, bucket, owner, rows)[0]


def order_of_voucher(session: Session, bucket: int, owner: int, voucher: UUID) -> OrderRow:
    """Find the order of a citizen's voucher.

    Raises:
        VoucherUnknown: They have none of this id.
    """
    facts = {"bucket": bucket, "owner": owner, "voucher": voucher}
    row = driver(session).execute(_OF_VOUCHER, facts).fetchone()
    if row is None:
        raise VoucherUnknown
    return OrderRow(*row)


def _with_parts(
    connection: Connection, bucket: int, owner: int, rows: Sequence[OrderRow]
) -> list[Order]:
    parts: dict[UUID, list[Part]] = defaultdict(list)
    ids = [row.id for row in rows]
    for order, *part in connection.execute(_PARTS, (bucket, owner, ids)):
        parts[order].append(Part(*part))
    return [Order(row, parts[row.id]) for row in rows]
