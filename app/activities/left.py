"""What corrections left of voluntary cancellations (注销余量, R6).

A correction that reaches cancelled grams moves them out of the common account; of one owner and
class it is taken from the latest cancellation first, whether a cause's, a certificate's or a
leaver's.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

_GIFTS: Final = """
select asset, id, amount from transfer where bucket = %s and source = %s and code = %s"""
_CORRECTED: Final = """
select t.asset, sum(t.amount)::int8
  from act_change c
  join transfer t on t.bucket = c.bucket and t.recorded_on = c.recorded_on and t.id = c.id
 where c.bucket = %s and c.account = %s and c.amount_mg < 0 and t.code = %s and t.source = %s
 group by t.asset"""


class Gift(NamedTuple):
    """Milligrams that left one owner in one class by a voluntary cancellation."""

    order: bytes
    """Of the transfer's id: gifts sort by it."""
    mg: int


def remaining(gifts: Sequence[Gift], corrected_mg: int) -> Mapping[bytes, int]:
    """Take corrections from gifts of one owner and class, the latest first (R6).

    >>> remaining([Gift(b"1", 50), Gift(b"2", 30)], 40)
    {b'2': 0, b'1': 40}
    """
    left: dict[bytes, int] = {}
    for each in sorted(gifts, reverse=True):
        part = min(corrected_mg, each.mg)
        corrected_mg -= part
        left[each.order] = each.mg - part
    return left


def left_of(connection: Connection, owner: int) -> Mapping[UUID, int]:
    """Give what is left of each of an owner's cancellations, by its transfer [mg]."""
    place = (bucket_of(owner), owner)
    gifts: dict[int, list[Gift]] = defaultdict(list)
    for asset, id_, mg in connection.execute(_GIFTS, (*place, int(Code.CANCEL))):
        gifts[asset].append(Gift(id_.bytes, mg))
    facts = (*place, int(Code.CORRECT), SYSTEM_ACCOUNTS["cancelled"])
    corrected: dict[int, int] = dict(connection.execute(_CORRECTED, facts).fetchall())
    return {
        UUID(bytes=order): mg
        for asset, own in gifts.items()
        for order, mg in remaining(own, corrected.get(asset, 0)).items()
    }
