"""Conservation (守恒): every unit is in one place, once a day and signed.

For each batch: issued = available + reserved + buffer + retired + cancelled + invalidated. What was
issued, used and voided is what the registry says; what is held is what the ledger says: that the
two meet is the point. Beside it what the chain was last seen to have, and each programme's points
against its funds. One statement reads the units, so that no movement is counted on both sides.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.registry.batches import batch_name
from app.registry.conservation_rules import (
    ChainUnits,
    Promises,
    UnitsOfBatch,
    gap_kg,
    lags,
    total_of,
)
from app.registry.errors import ClosingUnknown
from ledger.accounts import bucket_of

KIND: Final = "tanpu-conservation/v1"
AUX: Final = "registry"
_UNITS: Final = """
with held as (
  select asset, sum(credits - debits) filter (where kind not in (9, 5, 7)) as free,
         sum(credits - debits) filter (where kind in (5, 7)) as reserved,
         sum(credits - debits) filter (where kind = 9) as buffer
    from (select asset, credits, debits, ((account >> 1) & 15) + (account & 1) as kind
            from balance where asset & 7 = 4) as b
   group by asset
), used as (
  select batch, sum(quantity_kg) filter (where purpose <> 1) as retired,
         sum(quantity_kg) filter (where purpose = 1) as cancelled
    from retirement where taken_at is not null group by batch
)
select b.id, b.quantity_kg, coalesce(h.free, 0)::int8, coalesce(h.reserved, 0)::int8,
       coalesce(h.buffer, 0)::int8, coalesce(u.retired, 0)::int8, coalesce(u.cancelled, 0)::int8,
       b.quantity_kg - b.end_kg
  from issue_batch b left join held h on h.asset = b.asset left join used u on u.batch = b.id
 order by b.number"""
_BUDGETS: Final = "select budget from programme"
_PROMISES: Final = """
select p.code, coalesce((select sum(b.credits - b.debits) from balance b
                          where b.bucket = k.bucket and b.account = k.account), 0)::int8,
       sum(s.unpromised_fen)::int8, sum(s.promised_fen)::int8,
       coalesce((select sum(o.points) from points_outstanding o where o.programme = p.id), 0)::int8
  from programme p
  join unnest(%s::int2[], %s::int8[]) as k (bucket, account) on k.account = p.budget
  join budget_slice s on s.programme = p.id
 group by p.id, k.bucket, k.account order by p.code"""
_KEEP: Final = """
insert into conservation (day, body, sha256, signature, is_kept, closed_at)
values (%s, %s, sha256(%s), %s, %s, %s) on conflict (day) do nothing"""
_FIND: Final = "select body, signature from conservation where day = %s"
_LIST: Final = """
select day, sha256, is_kept, closed_at from conservation
 where day < %s order by day desc limit %s"""
_NEWEST: Final = "select sha256 from conservation order by day desc limit 1"


class ConservationSeal(NamedTuple):
    """What signs closings, and in whose name."""

    key: Ed25519PrivateKey
    origin: str


class Closing(NamedTuple):
    """A closing as it was signed."""

    body: bytes
    signature: bytes


class ClosedDay(NamedTuple):
    """A day in the list of closings."""

    day: date
    sha256: bytes
    is_kept: bool
    closed_at: datetime


def close_units(
    session: Session,
    seal: ConservationSeal,
    chain: ChainUnits | None,
    *,
    day: date,
    at: datetime,
) -> bool | None:
    """Write down how units and points stand; say whether every equation holds.

    Args:
        session: Of the application's role.
        seal: Signs it.
        chain: What the contract has in all, at its newest final block; None if it is away.
        day: In Asia/Shanghai; a day is closed once.
        at: This instant.

    Returns:
        None if the day was closed before.
    """
    connection = driver(session)
    units, promises = units_of_batches(connection), promises_of(connection)
    is_kept = (
        all(gap_kg(each) == 0 for each in units.values())
        and all(each.gap_fen == 0 for each in promises)
        and (chain is None or lags(total_of(units.values()), chain))
    )
    body = msgspec.json.encode(
        {
            "kind": KIND,
            "origin": seal.origin,
            "day": day,
            "closed_at": at,
            "batches": [
                {"batch": name, **each._asdict(), "gap_kg": gap_kg(each)}
                for name, each in units.items()
            ],
            "total": total_of(units.values())._asdict(),
            "chain": None if chain is None else chain._asdict(),
            "programmes": [{**each._asdict(), "gap_fen": each.gap_fen} for each in promises],
            "is_kept": is_kept,
        },
        order="sorted",
    )
    row = (day, body, body, seal.key.sign(body), is_kept, at)
    return is_kept if connection.execute(_KEEP, row).rowcount else None


def units_of_batches(connection: Connection) -> Mapping[str, UnitsOfBatch]:
    """Give where the units of each batch are, by its public id."""
    rows = connection.execute(_UNITS).fetchall()
    return {batch_name(batch): UnitsOfBatch(*rest) for batch, *rest in rows}


def promises_of(connection: Connection) -> Sequence[Promises]:
    """Give every programme's points against its money."""
    budgets = [budget for (budget,) in connection.execute(_BUDGETS).fetchall()]
    facts = ([bucket_of(budget) for budget in budgets], budgets)
    return [Promises(*row) for row in connection.execute(_PROMISES, facts).fetchall()]


def find_closing(session: Session, day: date) -> Closing:
    """Give the closing of a day.

    Raises:
        ClosingUnknown: That day was not closed.
    """
    row = driver(session).execute(_FIND, (day,)).fetchone()
    if row is None:
        raise ClosingUnknown
    return Closing(*row)


def closings(session: Session, *, before: date, limit: int) -> Sequence[ClosedDay]:
    """List what was closed, the newest first."""
    return [ClosedDay(*row) for row in driver(session).execute(_LIST, (before, limit)).fetchall()]


def conservation_digest(session: Session) -> Mapping[str, bytes]:
    """Give what ``aux`` says under ``registry``: SHA-256 of the newest closing."""
    row = driver(session).execute(_NEWEST).fetchone()
    return {} if row is None else {AUX: row[0]}
