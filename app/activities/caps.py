"""The day's cap on disk (日上限): one row a person, day and asset, added to, never read first.

Adding is one statement that also locks, and what counts of a sum is least(cap, sum), so the
order in which uploads arrive cannot show in a total (R9).
"""

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from app.kernel.db import Connection
from ledger.accounts import bucket_of

Place = tuple[int, date, int]
"""(owner, day, asset)."""

_ADD_STAGED: Final = """
with added as (
  insert into accrual_day as d (bucket, account, day, asset, raw_mg, cap_mg)
  select bucket, account, day, asset, sum(raw_mg), min(cap_mg) from incoming
   where cap_mg is not null and not account = any(%s) and not activity = any(%s)
   group by bucket, account, day, asset order by bucket, account, day, asset
  on conflict (bucket, account, day, asset) do update set raw_mg = d.raw_mg + excluded.raw_mg
  returning account, day, asset, raw_mg, cap_mg)
select account, day, asset, raw_mg from added where raw_mg > cap_mg"""
_ADD: Final = """
insert into accrual_day as d (bucket, account, day, asset, raw_mg, cap_mg)
select * from unnest(%s::int2[], %s::int8[], %s::date[], %s::int4[], %s::int8[], %s::int8[])
on conflict (bucket, account, day, asset) do update set raw_mg = d.raw_mg + excluded.raw_mg
returning account, day, asset, raw_mg"""


def add_staged(
    connection: Connection, but_owners: list[int], but_acts: list[UUID]
) -> dict[Place, int]:
    """Add the staged acts; returns the uncapped sums of the places that are over their cap."""
    found = connection.execute(_ADD_STAGED, (but_owners, but_acts)).fetchall()
    return {(owner, day, asset): raw_mg for owner, day, asset, raw_mg in found}


def add_to_days(
    connection: Connection, changes: Mapping[Place, tuple[int, int]]
) -> dict[Place, int]:
    """Add (change, cap) to places; returns their uncapped sums."""
    if not changes:
        return {}
    rows = sorted(
        (bucket_of(owner), owner, day, asset, change, cap_mg)
        for (owner, day, asset), (change, cap_mg) in changes.items()
    )
    columns = [list(column) for column in zip(*rows, strict=True)]
    found = connection.execute(_ADD, columns).fetchall()
    return {(owner, day, asset): raw_mg for owner, day, asset, raw_mg in found}
