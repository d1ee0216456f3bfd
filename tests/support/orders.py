"""A merchant with open tills, offers, people with points, and what they do (订单样例)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.kernel.tokens import PREFIXES
from app.mall.offline import write_token
from app.mall.ordering import OrderIds, Wish, cancel, open_offline, place
from app.mall.orders import Order, order_of
from app.mall.redeeming import (
    REDEEM,
    Asked,
    Redemption,
    facts_of_shown,
    redeem_printed,
    told,
)
from app.mall.reversing import Reversal, Reverser, reverse
from app.mall.vouchers import code_hash, key_of, printed_code, qr_text, read_qr
from app.points import Programme
from app.points.earmarks import promise
from app.staff import note_act
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind, bucket_of
from ledger.assets import Points
from ledger.chart import Code
from tests.support.acts import one, rows
from tests.support.owners import asset_number, owners, post_all, row
from tests.support.points import citizens, programme

ISSUANCE: Final = SYSTEM_ACCOUNTS["issuance/points"]
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)
_MERCHANT: Final = """
insert into merchant (id, account, kind, name_zh, name_en, registration, approved_at,
                      offline_cap_points)
values (%s, %s, 'business', '咖啡店', 'Coffee', %s, %s, %s)"""
_KEEPER: Final = """
insert into merchant_user (id, merchant, login, name, role, opened_at)
values (%s, %s, %s, '李安', 'keeper', %s) on conflict (id) do nothing"""
_TILL: Final = """
insert into till (id, merchant, label, public_key, opened_at, shift, keeper, shift_ends_at)
values (%s, %s, 'till', sha256(%s::text::bytea), %s, uuidv7(), %s, %s)"""
_OFFER: Final = """
insert into offer (id, merchant, kind, category, title_zh, title_en, price_points, price_fen,
                   per_person, per_day, sale_from, sale_to, voucher_days, state, created_at,
                   published_at)
values (%(id)s, %(merchant)s, %(kind)s, 'food', '拿铁', 'Latte', %(price_points)s, %(price_fen)s,
        %(per_person)s, %(per_day)s, %(sale_from)s, %(sale_to)s, %(voucher_days)s, 'published',
        %(sale_from)s, %(sale_from)s)"""
_PUBLISHED: Final = """
insert into offer_published
values (%(id)s, 1, %(kind)s, '拿铁', 'Latte', %(price_points)s, %(price_fen)s, %(sale_from)s)"""


@dataclass
class Street:
    """A shop, its programme's points, and its customers."""

    db: Database
    keys: Keys
    at: datetime = field(default_factory=now)
    cap: int = 1_000
    green: Programme = field(init=False)
    shop: UUID = field(init=False)
    till: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.green = programme(self.db, self.keys, 10_000_000)
        self.shop = self.merchant()
        self.till = self.open_till(self.shop)

    def run(self, statement: str, *values: object) -> None:
        self.db.transact(lambda session: self._run(session, statement, values))

    @staticmethod
    def _run(session: Session, statement: str, values: Sequence[object]) -> None:
        driver(session).execute(statement.encode(), values)

    def merchant(self) -> UUID:
        """Open a merchant that trades."""
        made, (account,) = new_id(), owners(self.db, self.keys, 1, AccountKind.MERCHANT)
        number = f"91310000{made.int % 10**10:010d}"
        self.run(_MERCHANT, made, account, number, self.at, self.cap)
        return made

    def open_till(self, merchant: UUID, keeper: UUID | None = None) -> UUID:
        """Open a till, with a shift of somebody at it, as the desk's log tells."""
        made, who, ends_at = new_id(), keeper or new_id(), self.at + 400 * DAY
        self.run(_KEEPER, who, merchant, f"k{who.hex}", self.at)
        self.run(_TILL, made, merchant, made, self.at, who, ends_at)
        named = (public_id(PREFIXES["merchant"], who), "merchants.open_shift")
        self.db.transact(note_act, *named, public_id("til", made), at=self.at)
        return made

    def offer(self, stock: int = 100, **terms: Any) -> UUID:  # noqa: ANN401 -- columns
        """Publish an offer."""
        made = new_id()
        facts: dict[str, Any] = {
            "id": made,
            "merchant": self.shop,
            "kind": "goods",
            "price_points": 30,
            "price_fen": 0,
            "per_person": None,
            "per_day": None,
            "sale_from": self.at - DAY,
            "sale_to": self.at + 300 * DAY,
            "voucher_days": 7,
        }

        def command(session: Session) -> None:
            connection = driver(session)
            connection.execute(_OFFER.encode(), facts | terms)
            connection.execute(
                "insert into offer_stock (offer, stocked) values (%s, %s)", (made, stock)
            )
            connection.execute(_PUBLISHED.encode(), facts | terms)

        self.db.transact(command)
        return made

    def people(self, count: int, **classes: int) -> list[int]:
        """Enrol people, each with so many points of classes by year of expiry: ``y2027=50``."""
        made = citizens(self.db, self.keys, count)
        for owner in made:
            for year, points in classes.items():
                self.give(owner, points, date(int(year[1:]), 12, 31))
        return made

    def give(self, owner: int, points: int, expires: date) -> int:
        """Grant points, promised as an exchange does; gives their class."""
        return self.give_all([owner], points, expires)

    def give_all(self, people: Sequence[int], points: int, expires: date) -> int:
        """Grant each so many points of one class."""
        of = Points(self.green.code, expires, self.green.fen_per_point)
        asset = asset_number(self.db, of)
        fen = len(people) * points * self.green.fen_per_point

        def promised(session: Session) -> None:
            assert promise(driver(session), self.green.id, fen, home=0) == fen

        self.db.transact(promised)
        grant = Code.GRANT_EXCHANGE
        post_all(self.db, [row(grant, ISSUANCE, owner, asset, points) for owner in people])
        return asset

    def ids(self) -> OrderIds:
        voucher = new_id()
        code = code_hash(self.keys, printed_code(key_of(self.keys, voucher)))
        return OrderIds(new_id(), voucher, code, new_id(), new_id())

    def order(
        self,
        owner: int,
        offer: UUID,
        quantity: int = 1,
        *,
        at: datetime | None = None,
        shown: Mapping[str, int] | None = None,
    ) -> Order:
        """Order at the price that is asked now, or at one that was shown."""
        query = "select version, price_points, price_fen from offer where id = %s"
        version, points, fen = one(self.db, query, offer)
        wish = Wish(offer, version, points, fen, quantity)._replace(**(shown or {}))
        ids, bucket = self.ids(), bucket_of(owner)
        self.db.transact(place, bucket, owner, wish, ids, at=at or self.at)
        return self.db.read(order_of, bucket, owner, ids.order)

    def cancel(self, owner: int, order: Order, *, at: datetime | None = None) -> None:
        facts = (bucket_of(owner), owner, order.row.id)
        self.db.transact(cancel, *facts, released=new_id(), at=at or self.at)

    def qr(self, order: Order, *, at: datetime | None = None) -> str:
        voucher = order.row.voucher
        return qr_text(key_of(self.keys, voucher), voucher, at or self.at)

    def asked(self, till: UUID | None = None, key: str | None = None) -> Asked:
        found = till or self.till
        return Asked(found, public_id("til", found), key or new_id().hex, bytes(32))

    def redeem(
        self,
        order: Order,
        *,
        till: UUID | None = None,
        at: datetime | None = None,
        text: str | None = None,
    ) -> Redemption:
        """Show the voucher to a till."""
        when = at or self.at
        shown = self.qr(order, at=when) if text is None else text
        return self.tell(self.asked(till), shown, at=when)

    def tell(self, asked: Asked, text: str, *, at: datetime) -> Redemption:
        """Ask as a till does, of whatever it read."""
        facts: dict[str, Any] = {"moved": new_id(), "at": at}
        shown = read_qr(text)
        if shown is not None:
            return told(self.db.call(REDEEM, facts_of_shown(self.keys, asked, shown, **facts)))
        return told(self.db.transact(redeem_printed, self.keys, asked, text, **facts))

    def reverse(
        self,
        order: Order,
        *,
        till: UUID | None = None,
        person: UUID | None = None,
        at: datetime | None = None,
    ) -> Reversal:
        """Reverse at a till, or as a person at the console."""
        found = None if person else till or self.till
        asked = Reverser(found, person, "somebody", new_id().hex, bytes(32))
        facts = (asked, order.row.voucher)
        return reverse(self.db, *facts, reversal=new_id(), moved=new_id(), at=at or self.at)

    def state(self, order: Order) -> str:
        return one(self.db, "select state from mall_order where id = %s", order.row.id)[0]

    def held(self, owner: int) -> dict[int, int]:
        return self._points(owner + 1)

    def own(self, owner: int) -> dict[int, int]:
        return self._points(owner)

    def _points(self, place: int) -> dict[int, int]:
        query = """select extract(year from x.expires)::int, b.credits - b.debits
                     from balance b join asset x on x.id = b.asset
                    where b.account = %s and b.asset & 7 = 3 and b.credits > b.debits"""
        return dict(rows(self.db, query, place))

    def taken(self, offer: UUID, owner: int) -> tuple[int, int, int]:
        """What the offer, the day of the orders and the person have taken of it."""
        query = """select s.taken, d.taken, p.taken
                     from offer_stock s
                     join offer_day d on d.offer = s.offer
                     join offer_person p on p.offer = s.offer
                    where s.offer = %s and p.account = %s"""
        found = one(self.db, query, offer, owner)
        return found[0], found[1], found[2]


def said(deed: Callable[[], object]) -> str:
    """What came of a deed: its outcome, or the code of its refusal."""
    try:
        return str(deed() or "done")
    except Refusal as refusal:
        return refusal.code


def go_offline(street: Street, owner: int, order: Order) -> str:
    """Open an order to tills without a network; gives the signed text."""
    facts = (bucket_of(owner), owner, order.row.id)
    until = street.db.transact(open_offline, *facts, at=street.at)
    return write_token(street.keys.receipt, order.row, until)
