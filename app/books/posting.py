"""Set-based posting (记账): many transfers, their balances and their pending log rows at once.

Six statements whatever the number of rows. Locks are taken in one order (bucket, account,
asset) before anything is computed, so batches that touch the same owners wait instead of
deadlocking; a deadlock that slips through is retried by ``transact`` with the same ids. Balances
come before transfers: with their rows locked nobody can be erased any more, and what would reach
somebody who was goes to nobody instead (``lapsing``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import errors

from app.books.errors import AccountUnknown, Overdrawn
from app.books.lapsing import erased_among, lapse_to, undo
from app.kernel.db import Connection
from ledger.accounts import FIRST_OWNER_ID
from ledger.chart import Code

Holding = tuple[int, int, int]
"""(bucket, account, asset): one balance row."""


class Row(NamedTuple):
    """One transfer as the books store it; amounts in the asset's smallest unit."""

    bucket: int
    recorded_on: date
    id: UUID
    source: int
    target: int
    asset: int
    amount: int
    code: int
    cause: UUID
    occurred_on: date
    corrects: UUID | None = None
    corrects_on: date | None = None
    evidence: bytes | None = None


COPY: Final = """
copy transfer (bucket, recorded_on, id, source, target, asset, amount, code, cause, occurred_on,
               corrects, corrects_on, evidence) from stdin (format binary)"""
TYPES: Final = (
    "int2 date uuid int8 int8 int4 int8 int2 uuid date uuid date bytea".split()  # noqa: SIM905 -- one row beside the fields
)
LOCK: Final = """
select 1 from balance b
  join unnest(%s::int2[], %s::int8[], %s::int4[]) as k (bucket, account, asset)
    using (bucket, account, asset)
 order by b.bucket, b.account, b.asset for update of b"""
ADD: Final = """
insert into balance as b (bucket, account, asset, credits, debits)
select *, 0 from unnest(%s::int2[], %s::int8[], %s::int4[], %s::int8[])
on conflict (bucket, account, asset) do update set credits = b.credits + excluded.credits"""
TAKE: Final = """
update balance b set debits = b.debits + t.amount
  from unnest(%s::int2[], %s::int8[], %s::int4[], %s::int8[]) as t (bucket, account, asset, amount)
 where (b.bucket, b.account, b.asset) = (t.bucket, t.account, t.asset)"""
PENDING: Final = """
insert into log_pending (bucket, recorded_on, id)
select * from unnest(%s::int2[], %s::date[], %s::uuid[])"""


def post(connection: Connection, rows: Sequence[Row]) -> None:
    """Write ``rows``, all of them or none; the caller's transaction decides.

    Raises:
        Overdrawn: A holder would go below zero at the end of the batch.
        AccountUnknown: A target was never opened; the transaction is spent, open it and retry.
    """
    if not rows:
        return
    added, taken = movements(rows)
    with connection.cursor() as cursor:
        if taken:
            touched = sorted({*added, *taken})
            cursor.execute(LOCK, _columns(touched))
        try:
            if added:
                cursor.execute(ADD, _amounts(added))
            if taken:
                cursor.execute(TAKE, _amounts(taken))
                if cursor.rowcount != len(taken):
                    raise Overdrawn(holders=len(taken) - cursor.rowcount)
        except errors.ForeignKeyViolation as error:
            raise AccountUnknown from error
        except errors.CheckViolation as error:
            if error.diag.constraint_name != "balance_not_overdrawn":
                raise
            raise Overdrawn from error
        if added:
            rows = _lapsed(connection, rows, added)
        copy_transfers(connection, rows)
        cursor.execute(PENDING, [list(map(itemgetter(place), rows)) for place in (0, 1, 2)])


def _lapsed(connection: Connection, rows: Sequence[Row], added: Iterable[Holding]) -> Sequence[Row]:
    """Give ``rows`` with what erased owners were credited going to nobody instead."""
    erased = erased_among(connection, ((bucket, account & ~1) for bucket, account, _ in added))
    if not erased:
        return rows
    undo(connection, erased)
    if any(row.source & ~1 in erased for row in rows):
        raise Overdrawn(holders=len(erased))
    return [
        row._replace(target=lapse_to(row.asset), code=int(Code.LAPSE))
        if row.target & ~1 in erased
        else row
        for row in rows
    ]


def copy_transfers(connection: Connection, rows: Iterable[Row]) -> None:
    """Send the transfer rows in COPY's binary form."""
    with (
        connection.cursor() as cursor,
        cursor.copy(COPY) as copy,
    ):
        copy.set_types(TYPES)
        for row in rows:
            copy.write_row(row)


def movements(rows: Iterable[Row]) -> tuple[dict[Holding, int], dict[Holding, int]]:
    """Sum what each owner's holding receives and gives; system accounts keep no balance."""
    added: dict[Holding, int] = defaultdict(int)
    taken: dict[Holding, int] = defaultdict(int)
    for row in rows:
        if row.target >= FIRST_OWNER_ID:
            added[row.bucket, row.target, row.asset] += row.amount
        if row.source >= FIRST_OWNER_ID:
            taken[row.bucket, row.source, row.asset] += row.amount
    return added, taken


def _columns(holdings: Sequence[Holding]) -> list[list[int]]:
    return [list(map(itemgetter(place), holdings)) for place in range(3)]


def _amounts(sums: dict[Holding, int]) -> list[list[int]]:
    holdings = sorted(sums)
    return [*_columns(holdings), [sums[holding] for holding in holdings]]
