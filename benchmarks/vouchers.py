"""A shop with one till and many vouchers, for the benchmark of redeeming (券样例)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.books import Row, asset_ids, post
from app.firms import check_character
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.mall.vouchers import code_hash, key_of, printed_code
from app.merchants import MerchantKind, NewMerchant, Terms, Till, add_till, open_merchant
from app.merchants.people import MemberRole, MerchantUser, add_user
from app.merchants.shifts import open_shift
from app.points import NewProgramme, fund, open_programme, promise
from app.staff.credentials import commitment, new_enrolment
from benchmarks.cluster import Ground, enrol
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import Points
from ledger.chart import Code

PEOPLE: Final = 200
PRICE: Final = 30
NUMBER: Final = "91310000000000001"
_OFFER: Final = """
insert into offer (id, merchant, kind, category, title_zh, title_en, price_points, sale_from,
                   sale_to, voucher_days, state, created_at, published_at)
values (%(id)s, %(shop)s, 'goods', 'food', '拿铁', 'Latte', %(price)s, %(at)s,
        %(at)s + interval '90 days', 60, 'published', %(at)s, %(at)s)"""
_STOCK: Final = "insert into offer_stock (offer, stocked) values (%s, 1000000000)"
_ORDER: Final = """
select place_order(q.bucket, q.account, q.id, q.voucher, q.code, %s, 1, %s, 0,
                   1::int2, q.held, q.held, %s, %s)
  from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[], %s::bytea[], %s::uuid[])
       as q (bucket, account, id, voucher, code, held)"""


@dataclass
class VoucherGround:
    """Who redeems what."""

    till: Till
    private_key: Ed25519PrivateKey = field(repr=False)
    offer: UUID
    owners: list[int]


def open_ground(city: Ground, orders: int) -> VoucherGround:
    """Open a merchant with a till and an offer, and people with the points for so many orders."""
    db, keys, at = city.database(), city.keys(), now()
    enrol(city, "metro", [f"card-{number}" for number in range(PEOPLE)], "sz-metro")
    people = "select account from subject order by account"
    owners = [row[0] for row in db.read(lambda session: driver(session).execute(people).fetchall())]
    made = db.transact(_open, keys, at)
    each = PRICE * (orders // PEOPLE + 1)
    db.transact(_grant, keys, owners, each, at)
    db.dispose()
    return VoucherGround(*made, owners)


def place_orders(db: Database, keys: Keys, found: VoucherGround, count: int) -> list[UUID]:
    """Place so many orders, spread over everybody; gives their vouchers."""
    at, vouchers = now(), [new_id() for _ in range(count)]
    owners = [found.owners[n % len(found.owners)] for n in range(count)]
    codes = [code_hash(keys, printed_code(key_of(keys, voucher))) for voucher in vouchers]
    ids, held = [new_id() for _ in vouchers], [new_id() for _ in vouchers]
    values = (
        found.offer,
        PRICE,
        at,
        day_of(at),
        [*map(bucket_of, owners)],
        owners,
        ids,
        vouchers,
        codes,
        held,
    )
    db.transact(lambda session: driver(session).execute(_ORDER, values).fetchall())
    return vouchers


def _open(session: Session, keys: Keys, at: datetime) -> tuple[Till, Ed25519PrivateKey, UUID]:
    number = NUMBER + check_character(NUMBER)
    new = NewMerchant(new_id(), MerchantKind.BUSINESS, "咖啡店", "Coffee", number)
    shop = open_merchant(session, keys, new, Terms(0, 0), at=at)
    keeper = MerchantUser(new_id(), shop.id, "keeper.1", "李安", MemberRole.KEEPER, at)
    add_user(session, keeper, commitment(new_enrolment()))
    private_key, offer = Ed25519PrivateKey.generate(), new_id()
    till = Till(new_id(), shop.id, "till", private_key.public_key().public_bytes_raw(), at)
    add_till(session, till)
    open_shift(session, till.id, keeper.id, shift=new_id(), at=at)
    facts: dict[str, Any] = {"id": offer, "shop": shop.id, "price": PRICE, "at": at}
    driver(session).execute(_OFFER, facts)
    driver(session).execute(_STOCK, (offer,))
    return till, private_key, offer


def _grant(session: Session, keys: Keys, owners: list[int], points: int, at: datetime) -> None:
    made = open_programme(session, keys, NewProgramme("bench", "基准", "Benchmark"), at=at)
    fen = points * len(owners) * made.fen_per_point
    fund(session, made.code, fen, cause=new_id(), at=at)
    connection, today = driver(session), day_of(at)
    promise(connection, made.id, fen, home=0)
    of = Points(made.code, date(today.year + 1, 12, 31), made.fen_per_point)
    asset, source = asset_ids(connection, [of])[of], SYSTEM_ACCOUNTS["issuance/points"]
    code = int(Code.GRANT_EXCHANGE)
    rows = [
        Row(bucket_of(o), today, new_id(), source, o, asset, points, code, new_id(), today)
        for o in owners
    ]
    post(connection, rows)
