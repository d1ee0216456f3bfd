"""How the mall's model begins, and what PostgreSQL says of it after each step (商城模型场景)."""

from dataclasses import dataclass, field
from typing import Final

import psycopg

from app.kernel.db import Database
from tests.support.mall_model import Offer
from tests.support.orders import Street
from tests.support.owners import BUS, asset_number
from tests.support.points import citizens

PEOPLE: Final = 2
AT_ONCE: Final = 100


@dataclass(frozen=True)
class Scene:
    """How a city begins, and what only then is refused."""

    fen: int
    offers: tuple[Offer, ...]
    refused: frozenset[str] = frozenset()


SOLD_OUT: Final = frozenset({"order.sold_out", "order.person_limit"})
LIMITS: Final = frozenset({"order.day_limit", "order.person_limit"})
EXHAUSTED: Final = frozenset({"budget.exhausted"})
SCENES: Final = {
    "plenty": Scene(100_000, (Offer(30, 50, 50, 50, 7), Offer(7, 50, 50, 50, 60))),
    "scarce": Scene(100_000, (Offer(10, 2, 3, 3, 2), Offer(5, 9, 2, 9, 2)), SOLD_OUT),
    "limited": Scene(100_000, (Offer(10, 9, 9, 2, 1), Offer(3, 3, 2, 2, 30)), LIMITS),
    "poor": Scene(400, (Offer(5, 9, 9, 9, 2), Offer(15, 9, 9, 9, 50)), EXHAUSTED),
}
OUTCOMES: Final = {"exchanged", "reserved", "redeemed", "before", "cancelled", "reversed"}
"""What every scene must come to; each of its limits comes to a refusal besides."""
SAYS: Final = """
select
  (select coalesce(json_agg(
            json_build_array(b.account, b.asset & 7, x.expires, b.credits - b.debits)), '[]')
     from balance b join asset x on x.id = b.asset
    where b.bucket = any(%(buckets)s) and b.account = any(%(places)s) and b.credits > b.debits),
  (select coalesce(json_agg(json_build_array('stock', offer, null, taken)), '[]')
     from offer_stock where offer = any(%(offers)s)),
  (select coalesce(json_agg(json_build_array('day', offer, day, taken)), '[]')
     from offer_day where offer = any(%(offers)s) and taken > 0),
  (select coalesce(json_agg(json_build_array('person', offer, account, taken)), '[]')
     from offer_person where bucket = any(%(buckets)s) and offer = any(%(offers)s) and taken > 0),
  (select coalesce(json_agg(json_build_array(id, state)), '[]')
     from mall_order where bucket = any(%(buckets)s) and account = any(%(places)s)),
  (select coalesce(json_agg(json_build_array(owner, source, target, points)), '[]') from (
     select greatest(source, target) & ~1::int8 as owner, source, target, sum(amount) as points
       from transfer
      where bucket = any(%(buckets)s) and recorded_on between %(start)s and %(today)s
        and asset & 7 = 3 and least(source, target) < 65536
      group by 1, 2, 3) t),
  (select json_build_array(b.credits - b.debits, sum(s.unpromised_fen), sum(s.promised_fen))
     from programme p
     join budget_slice s on s.programme = p.id
     join balance b on b.account = p.budget
    where p.id = %(programme)s group by b.credits, b.debits),
  (select json_build_array(coalesce(sum(b.credits - b.debits), 0))
     from balance b join merchant m on m.account = b.account where m.id = %(shop)s)"""
SYSTEM: Final = {2: "earned", 17: "expired", 18: "spent", 19: "corrected"}


@dataclass
class Ground:
    """What the runs of one test share: a street, and people who wait for their run."""

    street: Street
    worker: Database
    auditor: psycopg.Connection
    reductions: int = field(init=False)
    waiting: list[int] = field(default_factory=list[int])
    runs: int = 0
    seen: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.reductions = asset_number(self.street.db, BUS)

    def somebody(self) -> list[int]:
        if len(self.waiting) < PEOPLE:
            self.waiting += citizens(self.street.db, self.street.keys, AT_ONCE * PEOPLE)
        return [self.waiting.pop() for _ in range(PEOPLE)]
