"""Owners and rows for tests of the books."""

from datetime import date
from uuid import UUID

from sqlmodel import Session

from app.books import Row, asset_ids, open_owners, post
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind, bucket_of
from ledger.assets import Asset, Reduction
from ledger.chart import Code

BUS = Reduction("TEST-BUS", 1, "bus", "A", date(2026, 1, 1))
BUS_B = Reduction("TEST-BUS", 1, "bus", "B", date(2026, 1, 1))
DAY = date(2026, 1, 15)


def owners(
    db: Database, keys: Keys, count: int, kind: AccountKind = AccountKind.CITIZEN
) -> list[int]:
    """Open owners and give their ids."""

    def command(session: Session) -> list[int]:
        return list(open_owners(driver(session), keys, kind, count, at=now()))

    return db.transact(command)


def asset_number(db: Database, asset: Asset) -> int:
    """Give the id of an asset class."""
    return db.transact(lambda session: asset_ids(driver(session), [asset])[asset])


def accrual(owner: int, asset: int, amount: int, cause: UUID | None = None) -> Row:
    """A reduction accrued by an owner."""
    return row(Code.ACCRUE, SYSTEM_ACCOUNTS["issuance/reduction"], owner, asset, amount, cause)


def row(
    code: Code, source: int, target: int, asset: int, amount: int, cause: UUID | None = None
) -> Row:
    """One transfer row of today."""
    owner = max(source, target) & ~1
    return Row(
        bucket=bucket_of(owner),
        recorded_on=day_of(now()),
        id=new_id(),
        source=source,
        target=target,
        asset=asset,
        amount=amount,
        code=code,
        cause=cause or new_id(),
        occurred_on=DAY,
    )


def post_all(db: Database, rows: list[Row]) -> None:
    """Post rows in a transaction of their own."""

    def command(session: Session) -> None:
        post(driver(session), rows)

    db.transact(command)
