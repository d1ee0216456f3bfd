"""The closed loop (闭环消纳): from buyers to budgets to points to merchants, summed from rows.

Every figure is a sum over records, taken in one snapshot; none is kept beside them. Points that
are out there are as they were last counted, some hours ago.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import driver

_SOLD: Final = """
select count(*), coalesce(sum(p.quantity_kg), 0)::int8, coalesce(sum(y.fen), 0)::int8
  from payment y join purchase p on p.id = y.purchase"""
_REACHED: Final = """
select coalesce(sum(fen) filter (where programme is not null), 0)::int8,
       coalesce(sum(fen) filter (where organisation is not null), 0)::int8
  from proceeds"""
_PAID: Final = """
select coalesce(sum(s.net_fen), 0)::int8
  from settlement s
  join settlement_payout p
    on p.bucket = s.bucket and p.account = s.account and p.settlement = s.id"""
_PROGRAMMES: Final = """
with sold as (
  select programme, sum(mg) as mg, sum(fen) as fen from proceeds group by programme),
funded as (
  select programme, sum(fen) as fen from programme_sponsor group by programme),
counted as (
  select programme, sum(points) as points from points_outstanding group by programme),
settled as (
  select programme, sum(gross_fen - fee_fen) as fen from settlement_share group by programme)
select p.code, p.name_zh, p.name_en, coalesce(sold.mg, 0)::int8, coalesce(sold.fen, 0)::int8,
       coalesce(funded.fen, 0)::int8, coalesce(counted.points, 0)::int8,
       (coalesce(counted.points, 0) * p.fen_per_point)::int8, coalesce(settled.fen, 0)::int8
  from programme p
  left join sold on sold.programme = p.id
  left join funded on funded.programme = p.id
  left join counted on counted.programme = p.id
  left join settled on settled.programme = p.id
 order by p.id"""


class ProgrammeLoop(NamedTuple):
    """What came to a programme, and what went."""

    code: str
    name_zh: str
    name_en: str
    sold_mg: int
    sale_fen: int
    funded_fen: int
    """Of sales and of sponsors."""
    outstanding_points: int
    outstanding_fen: int
    settled_fen: int
    """What its budget paid to merchants' accounts."""


class LoopSums(NamedTuple):
    """Money in, and where it went."""

    purchases: int
    sold_kg: int
    sale_fen: int
    to_programmes_fen: int
    to_sellers_fen: int
    merchants_paid_fen: int
    """To their banks."""


def closed_loop(session: Session) -> tuple[LoopSums, Sequence[ProgrammeLoop]]:
    """Sum the loop up, and tell each programme's part."""
    connection = driver(session)
    sold, reached, paid = (
        connection.execute(statement).fetchall()[0] for statement in (_SOLD, _REACHED, _PAID)
    )
    found = [ProgrammeLoop(*row) for row in connection.execute(_PROGRAMMES).fetchall()]
    return LoopSums(*sold, *reached, *paid), found
