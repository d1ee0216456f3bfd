"""What would reach an erased owner (失主归公): it goes to nobody, in the same breath (R20).

An owner whose account key is gone has no leaf to fold into, and its secret can salt no entry. So
points end in ``expired`` and reductions in ``cancelled``, under ``Code.LAPSE``, between two system
accounts in the bucket of the owner who is no more.
"""

from collections.abc import Iterable
from typing import Final

from app.books.places import CLASS_OF_GRADE
from app.kernel.db import Connection
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of

ERASED: Final = """
select a.id from account a
  join unnest(%s::int2[], %s::int8[]) as k (bucket, id) using (bucket, id)
 where a.akey is null and a.id & 1 = 0"""
UNDO: Final = """
delete from balance b using unnest(%s::int2[], %s::int8[]) as k (bucket, account)
 where b.bucket = k.bucket and b.account & ~1::int8 = k.account"""
_CLASS: Final = 7
_REDUCTIONS: Final = frozenset(CLASS_OF_GRADE.values())


def erased_among(connection: Connection, owners: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Give which of these (bucket, owner) were erased; nothing can be noted about them."""
    keys = sorted(set(owners))
    found = connection.execute(ERASED, [[key[place] for key in keys] for place in (0, 1)])
    return frozenset(owner for (owner,) in found)


def undo(connection: Connection, erased: Iterable[int]) -> None:
    """Delete what erased owners were just credited.

    Once the credits are in their balances their rows are locked: an erasure that ended before is
    seen by then, and one that comes later waits and sees the balance.
    """
    keys = [(bucket_of(owner), owner) for owner in sorted(erased)]
    connection.execute(UNDO, [[key[place] for key in keys] for place in (0, 1)])


def lapse_to(asset: int) -> int:
    """Give the system account where a class goes whose owner is no more.

    >>> lapse_to(8 | 1) == SYSTEM_ACCOUNTS["cancelled"], lapse_to(8 | 3)
    (True, 17)
    """
    is_reduction = asset & _CLASS in _REDUCTIONS
    return SYSTEM_ACCOUNTS["cancelled" if is_reduction else "expired"]
