"""A street whose days are settled (结算样例): what is sold, at which shop and when."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.kernel.clock import SHANGHAI
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.mall.orders import Order
from app.settlements import SettlementSeal, settle_days
from tests.support.acts import one, rows
from tests.support.orders import DAY, Street

ORIGIN: Final = "tanpu-test"
NOON: Final = datetime(2026, 11, 20, 12, tzinfo=SHANGHAI)
"""Of a fixed day, so that midnight is where the tests say."""


def seal(keys: Keys) -> SettlementSeal:
    return SettlementSeal(keys.receipt, ORIGIN)


def settle(street: Street, at: datetime = NOON + DAY, db: Database | None = None) -> int:
    """Run the job; the next noon, unless another time is given."""
    return settle_days(db or street.db, seal(street.keys), at=at)


def sold(
    street: Street,
    points: int = 30,
    *,
    at: datetime | None = None,
    shop: UUID | None = None,
    till: UUID | None = None,
) -> Order:
    """Somebody new orders and shows the voucher."""
    (owner,) = street.people(1, y2027=points)
    offer = street.offer(price_points=points, merchant=shop or street.shop)
    order = street.order(owner, offer, at=at)
    street.redeem(order, till=till, at=at)
    return order


def statements(street: Street) -> list[tuple[Any, ...]]:
    """Lines, gross, fee and net of every statement."""
    query = "select lines, gross_fen, fee_fen, net_fen from settlement order by day, id"
    return rows(street.db, query)


def fee(street: Street, permille: int) -> None:
    """Agree on a fee with everybody."""
    street.run("update merchant set fee_permille = %s", permille)


def fen_of(street: Street, merchant: UUID) -> int:
    """What a merchant has in the books."""
    query = """select coalesce(sum(b.credits - b.debits), 0)::int8 from balance b
                 join merchant m on m.account = b.account where m.id = %s"""
    return one(street.db, query, merchant)[0]
