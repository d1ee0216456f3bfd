"""What a citizen holds (持有): reductions by class, points by expiry, from the stored balances.

One statement over the balances of the owner and of their held twin. A class says which document,
scenario, grade and month it is of, so nothing else needs to be asked.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import driver
from app.wallet.rules import EXPIRES_SOON, GradeWord, field_of
from methodologies import Field

_HELD: Final = """
select x.methodology, x.version, x.scenario, x.grade, x.vintage,
       sum(b.credits - b.debits)::bigint
  from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = any(%s) and b.credits > b.debits and x.id & 7 in (1, 2)
 group by x.id order by x.vintage desc, x.methodology, x.version desc, x.scenario, x.grade"""
_POINTS: Final = """
select x.programme, x.expires,
       coalesce(sum(b.credits - b.debits) filter (where b.account & 1 = 0), 0)::bigint,
       coalesce(sum(b.credits - b.debits) filter (where b.account & 1 = 1), 0)::bigint
  from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = any(%s) and b.credits > b.debits and x.id & 7 = 3
 group by x.id order by x.expires, x.programme"""


class ReductionClass(NamedTuple):
    """What is held of one class of reductions (R4)."""

    methodology: str
    version: int
    scenario: str
    grade: GradeWord
    vintage: date
    mg: int


class PointsClass(NamedTuple):
    """What is held of one class of points: those that expire on one day."""

    programme: str
    expires: date
    available: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a citizen holds today."""

    reductions: tuple[ReductionClass, ...]
    points: tuple[PointsClass, ...]
    today: date
    fields: dict[Field, int] = field(default_factory=dict[Field, int])
    """By field of life [mg]."""

    @property
    def reduction_mg(self) -> int:
        """All reductions held [mg]."""
        return sum(each.mg for each in self.reductions)

    @property
    def spendable(self) -> int:
        """Points that can be spent: one past its day cannot, whatever the job has done (R5)."""
        return sum(each.available for each in self.points if each.expires >= self.today)

    @property
    def expiring_soon(self) -> int:
        """Spendable points whose last day is near."""
        last = self.today + EXPIRES_SOON
        near = [each for each in self.points if self.today <= each.expires <= last]
        return sum(each.available for each in near)

    @property
    def reserved(self) -> int:
        """Points promised to an order that is not yet redeemed."""
        return sum(each.reserved for each in self.points)


def holdings_of(session: Session, bucket: int, owner: int, *, today: date) -> Holdings:
    """Give what an owner holds; two statements."""
    connection = driver(session)
    place = (bucket, [owner, owner | 1])
    reductions = tuple(ReductionClass(*row) for row in connection.execute(_HELD, place))
    points = tuple(PointsClass(*row) for row in connection.execute(_POINTS, place))
    fields: dict[Field, int] = {}
    for each in reductions:
        of = field_of(each.methodology)
        fields[of] = fields.get(of, 0) + each.mg
    return Holdings(reductions, points, today, fields)
