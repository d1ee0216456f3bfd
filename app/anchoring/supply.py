"""Supply (供应): what system accounts gave and took of each class, published in ``aux`` (R34)."""

from collections.abc import Iterator

from app.anchoring.leaves import unit_of_asset
from app.kernel.db import Connection
from ledger.accounts import SYSTEM_NAMES
from ledger.extras import SupplyRow, supply_digest

_APPEND = """
with moved as (
  select asset, source::int4 as system, sum(amount) as debits, 0 as credits
    from epoch_staging where source < 65536 group by 1, 2
  union all
  select asset, target::int4, 0, sum(amount) from epoch_staging where target < 65536 group by 1, 2
), added as (
  select asset, system, sum(debits) as debits, sum(credits) as credits from moved group by 1, 2
)
insert into supply (asset, system, epoch_from, debits, credits)
select a.asset, a.system, %(epoch)s, coalesce(l.debits, 0) + a.debits,
       coalesce(l.credits, 0) + a.credits
  from added a
  left join lateral (
    select s.debits, s.credits from supply s
     where (s.asset, s.system) = (a.asset, a.system) order by s.epoch_from desc limit 1
  ) l on true"""
_CURRENT = """
select distinct on (s.asset, s.system) a.key, s.asset, s.system, s.debits, s.credits
  from supply s join asset a on a.id = s.asset
 where s.epoch_from <= %s order by s.asset, s.system, s.epoch_from desc"""


def append_supply(connection: Connection, *, epoch: int) -> None:
    """Add the claimed entries to the cumulative supply."""
    connection.execute(_APPEND, {"epoch": epoch})


def supply_rows(connection: Connection, *, epoch: int) -> Iterator[SupplyRow]:
    """Give the supply at the end of an epoch."""
    for key, asset, number, debits, credits in connection.execute(_CURRENT, (epoch,)):  # noqa: A001 -- the ledger's word
        yield SupplyRow(key, unit_of_asset(asset), SYSTEM_NAMES[number], debits, credits)


def digest_of_supply(connection: Connection, *, epoch: int) -> bytes:
    """Give what ``aux`` says under ``supply``."""
    return supply_digest(supply_rows(connection, epoch=epoch))
