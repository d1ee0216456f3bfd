"""Units from one owner to another (交割): two legs through clearing, with one cause (R2)."""

from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.books import Row
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

CLEARING: Final = SYSTEM_ACCOUNTS["clearing"]


class UnitQuantity(NamedTuple):
    """So many units of one batch."""

    asset: int
    """Its number in the books."""
    quantity_kg: int


def legs(
    units: UnitQuantity,
    *,
    source: int,
    target: int,
    cause: UUID,
    today: date,
    new_id: Callable[[], UUID],
) -> list[Row]:
    """Write both legs; the first decides, and the second cannot be refused.

    ``source`` may be what an owner holds reserved.
    """
    story = (units.asset, units.quantity_kg, int(Code.TRADE), cause, today)
    return [
        Row(bucket_of(source & ~1), today, new_id(), source, CLEARING, *story),
        Row(bucket_of(target), today, new_id(), CLEARING, target, *story),
    ]
