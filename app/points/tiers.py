"""Tiers (档位): how much somebody exchanged in the month before, which a rate may ask for.

A month that is over stands still, and ``exchange`` is append-only: so a person has one rate a class
all month, however they split what they exchange, and whoever looks later finds the same.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from app.kernel.db import Connection

_BEFORE: Final = """
select account, sum(reduction_mg)::int8 from exchange
 where bucket = %s and programme = %s and account = any(%s)
   and recorded_on >= %s and recorded_on < %s
 group by account"""


def month_before(day: date) -> date:
    """Give the first day of the month before.

    >>> month_before(date(2026, 1, 31))
    datetime.date(2025, 12, 1)
    """
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


def exchanged_before(
    connection: Connection, programme: int, bucket: int, owners: Sequence[int], today: date
) -> dict[int, int]:
    """Give what people of one bucket exchanged in the month before [mg]; nobody who did not.

    What a correction took back afterwards counts: an exchange keeps the rate that it was made at.
    """
    facts = (bucket, programme, list(owners), month_before(today), today.replace(day=1))
    return dict(connection.execute(_BEFORE, facts).fetchall())
