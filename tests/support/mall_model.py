"""The mall in plain numbers (商城朴素模型): points in a dict by their last day, orders in a list.

It shares no code with the product: no statement, no ledger, no rule of it. What it says must hold
is counted anew from these numbers each time.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
QUARTER = timedelta(minutes=15)
MG_A_POINT = 10_000


@dataclass
class Offer:
    """What is sold, and what of it is taken."""

    price: int
    stock: int
    per_person: int
    per_day: int
    days: int
    """How long a voucher of it lasts."""


@dataclass
class Order:
    """What somebody ordered, and which points pay."""

    offer: int
    quantity: int
    paid: dict[date, int]
    placed: datetime
    ends: datetime
    state: str = "reserved"
    redeemed: datetime | None = None
    settled: bool = False
    holds: bool = True
    """Whether its units count against stock and limits."""

    @property
    def points(self) -> int:
        return sum(self.paid.values())

    @property
    def redeemed_on(self) -> date:
        assert self.redeemed is not None
        return self.redeemed.astimezone(BEIJING).date()


@dataclass
class Person:
    """Somebody, what they can spend by last day, and what they ever had."""

    mg: int = 0
    points: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    orders: list[Order] = field(default_factory=list[Order])
    earned: int = 0
    expired: int = 0
    corrected: int = 0

    def spendable(self, today: date) -> int:
        return sum(count for last, count in self.points.items() if last >= today)

    def take(self, due: int, today: date) -> dict[date, int]:
        taken: dict[date, int] = {}
        for last in sorted(self.points):
            part = min(due, self.points[last]) if last >= today else 0
            if part:
                self.points[last] -= part
                taken[last] = part
                due -= part
        assert due == 0
        return taken

    def total(self, *states: str) -> int:
        return sum(order.points for order in self.orders if order.state in states)


@dataclass
class Mall:
    """People, offers and the money behind the points."""

    at: datetime
    fen_a_point: int
    money: int
    people: list[Person]
    offers: list[Offer]
    due_points: int = 0
    """Gone from people, their money not yet returned."""
    settled_points: int = 0

    @property
    def today(self) -> date:
        return self.at.astimezone(BEIJING).date()

    @property
    def claimed_points(self) -> int:
        """What money is promised to: points out there, at tills unsettled, or on their way back."""
        out = sum(
            sum(each.points.values()) + each.total("reserved", "redeemed") for each in self.people
        )
        return out + self.due_points - self.settled_points

    @property
    def free(self) -> int:
        return self.money - self.claimed_points * self.fen_a_point

    def grant(self, who: Person, count: int, last: date) -> None:
        who.points[last] += count
        who.earned += count

    def taken(self, offer: int, person: Person | None = None, day: date | None = None) -> int:
        """Count what orders of one offer hold, of everybody or one person, ever or of one day."""
        return sum(
            order.quantity
            for who in self.people
            if person is None or who is person
            for order in who.orders
            if order.offer == offer
            and order.holds
            and (day is None or order.placed.astimezone(BEIJING).date() == day)
        )

    def order(self, who: Person, number: int, quantity: int) -> str:
        offer = self.offers[number]
        if who.spendable(self.today) < offer.price * quantity:
            return "order.points_short"
        if self.taken(number, person=who) + quantity > offer.per_person:
            return "order.person_limit"
        if self.taken(number, day=self.today) + quantity > offer.per_day:
            return "order.day_limit"
        if self.taken(number) + quantity > offer.stock:
            return "order.sold_out"
        paid = who.take(offer.price * quantity, self.today)
        ends = self.at + timedelta(days=offer.days)
        who.orders.append(Order(number, quantity, paid, self.at, ends))
        return "reserved"

    def redeem(self, order: Order) -> str:
        if order.state == "redeemed":
            return "before"
        if order.state != "reserved":
            return f"voucher.{order.state}"
        if order.ends <= self.at:
            return "voucher.expired"
        order.state, order.redeemed = "redeemed", self.at
        return "redeemed"

    def reverse(self, who: Person, order: Order) -> str:
        if order.state == "reversed":
            return "before"
        if order.redeemed is None:
            return "redemption.unknown"
        if self.at > order.redeemed + QUARTER:
            return "reversal.too_late"
        self._end(who, order, "reversed")
        return "reversed"

    def cancel(self, who: Person, order: Order) -> str:
        if order.state != "reserved" or order.ends <= self.at:
            return "order.ended"
        self._end(who, order, "cancelled")
        return "cancelled"

    def expire_orders(self) -> None:
        for who in self.people:
            for order in who.orders:
                if order.state == "reserved" and order.ends <= self.at:
                    self._end(who, order, "expired")

    def expire_points(self) -> None:
        for who in self.people:
            for last in who.points:
                if last < self.today:
                    who.expired += who.points[last]
                    self.due_points += who.points[last]
                    who.points[last] = 0

    def unsettled_days(self) -> list[date]:
        """Days before this one on which something was redeemed that no statement has."""
        return sorted({each.redeemed_on for each in self._claims()})

    def settle(self) -> None:
        """Pay for what was redeemed on the days before this one and stands."""
        for order in list(self._claims()):
            order.settled = True
            self.settled_points += order.points
            self.money -= order.points * self.fen_a_point

    def _claims(self) -> Iterator[Order]:
        for order in (order for who in self.people for order in who.orders):
            is_claim = order.state == "redeemed" and not order.settled
            if is_claim and order.redeemed_on < self.today:
                yield order

    def correct(self, who: Person, count: int) -> None:
        who.take(count, self.today)
        who.corrected += count
        self.due_points += count

    @staticmethod
    def _end(who: Person, order: Order, state: str) -> None:
        order.state, order.holds = state, False
        for last, count in order.paid.items():
            who.points[last] += count
