"""The books, audited (账簿审计): laws, chart and replay, some buckets at a time."""

from itertools import pairwise
from typing import Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.books.places import class_of
from app.kernel.db import Connection
from ledger.accounts import BUCKETS
from ledger.assets import Asset, Money, Points, Reduction, Unit, asset_key
from ledger.audit import check_books
from ledger.errors import LedgerError
from ledger.findings import BalanceRow, FindingKind, MovementRow

BALANCES_PER_PASS: Final = 100_000
"""Replayed balances in memory at a time, about."""

_KIND: Final = "case when {0} < 65536 then 100 else (({0} >> 1) & 15) + ({0} & 1) end"
_MOVEMENTS: Final = f"""
select id, bucket, code, source, {_KIND.format("source")}, target, {_KIND.format("target")}, asset,
       coalesce((array[1, 1, 2, 3, 4])[asset & 7], 0),
       case asset & 7 when 1 then 'A' when 2 then 'B' else '' end, amount
  from transfer where bucket between %s and %s"""  # noqa: S608 -- constants of this file
_BALANCES: Final = """
select bucket, account, asset, credits, debits from balance where bucket between %s and %s"""
_CLOSED: Final = "select asset from closed_asset"
_ASSETS: Final = """
select id, key, methodology, version, scenario, grade, vintage, programme, expires,
       fen_per_point, batch, currency from asset"""
# A balance or an owner's history that no account row has; and a row in the wrong bucket.
_LOST: Final = """
select distinct 'account ' || b.account, 'has balances, and its row is gone'
  from balance b where not exists (
    select from account a where (a.bucket, a.id) = (b.bucket, b.account))
union all
select 'account ' || id, 'lies in bucket ' || bucket || ', not in the one of its id'
  from (select id, bucket, sha256(int8send(id & ~1::int8)) as h from account) as a
 where bucket <> (get_byte(h, 0) << 8 | get_byte(h, 1)) >> 6"""


def check_the_books(connection: Connection, sheet: Sheet) -> None:
    """Hold every transfer to the laws, and every stored balance to its replay."""
    found = connection.execute("select count(*) from balance").fetchone()
    passes = min(BUCKETS, 1 + (found[0] if found else 0) // BALANCES_PER_PASS)
    edges = [BUCKETS * at // passes for at in range(passes + 1)]
    closed = frozenset(row[0] for row in connection.execute(_CLOSED))
    edges[0], edges[-1] = -(1 << 15), 1 << 15  # buckets that no owner can have are looked at too
    for low, after in pairwise(edges):
        span = (low, after - 1)
        rows = stream(connection, MovementRow, _MOVEMENTS, *span)
        balances = stream(connection, BalanceRow, _BALANCES, *span)
        sheet.add(
            check_books(
                sheet.counted("transfers", rows), sheet.counted("balances", balances), closed
            )
        )
    for where, detail in connection.execute(_LOST):
        sheet.find(FindingKind.ACCOUNT, where, detail)


def check_assets(connection: Connection, sheet: Sheet) -> None:
    """Hold the key of every asset class, which entries carry, to what the class says."""
    for number, key, *columns in sheet.counted(
        "assets", stream(connection, lambda *row: row, _ASSETS)
    ):
        where = f"asset {number}"
        try:
            asset = _asset(number & 7, columns)
        except (AssertionError, LedgerError, TypeError, ValueError) as wrong:
            sheet.find(Kind.ASSET, where, f"says nothing that can be held: {wrong!r}")
            continue
        if asset_key(asset) != key or class_of(asset) != number & 7:
            sheet.find(Kind.ASSET, where, f"its key {key.hex()} is not that of {asset}")


def _asset(class_: int, columns: list[object]) -> Asset:
    methodology, version, scenario, grade, vintage, programme, expires, fen, batch, currency = (
        columns
    )
    match class_:
        case 1 | 2:
            return Reduction(methodology, version, scenario, grade, vintage)  # pyright: ignore[reportArgumentType] -- columns of an untyped row; the class checks itself
        case 3:
            return Points(programme, expires, fen)  # pyright: ignore[reportArgumentType] -- the same
        case 4:
            return Unit(batch)  # pyright: ignore[reportArgumentType] -- the same
        case 5:
            return Money(currency)  # pyright: ignore[reportArgumentType] -- the same
        case _:
            raise ValueError(f"class {class_}")
