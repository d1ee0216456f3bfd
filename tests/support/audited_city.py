"""A small city (小城): 200 owners, about 1,000 entries of all sorts but units, 3 epochs."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from sqlmodel import Session

from app.anchoring import Notary
from app.audit.report import Found
from app.books import Row, post
from app.kernel.clock import day_of, now
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind, bucket_of
from ledger.assets import Money, Points
from ledger.chart import Code
from tests.support.anchoring import ORIGIN, at, notary_over
from tests.support.auditing import audited, tampered
from tests.support.chain import MemoryChain
from tests.support.owners import BUS, BUS_B, accrual, asset_number, owners, row

POINTS = Points("green", date(2027, 12, 31), 1)
CITIZENS = 200
EPOCHS = 3
_WAIT = "insert into log_pending (bucket, recorded_on, id) values (%s, %s, %s)"


@dataclass
class AuditedCity:
    """Where it lies, who lives there, and where its headers went."""

    url: str
    keys: Keys
    notary: Notary
    chain: MemoryChain
    citizens: list[int]
    bus: int
    unsequenced: list[Row]


@contextmanager
def audited_city(url: str, keys: Keys, folder: Path) -> Generator[AuditedCity]:
    """Make the city in a migrated, empty database."""
    db = Database(url, pool_size=1)
    worker = Database(url, role="tanpu_worker", pool_size=1)
    chain = MemoryChain()
    notary = notary_over(worker, keys, folder)
    try:
        citizens = owners(db, keys, CITIZENS)
        random = Random(7)
        for epoch in range(EPOCHS):
            rows = _epoch(db, keys, citizens, random)
            _post(db, rows)
            assert notary.close(at=at(24 * epoch)) is not None
            notary.publish()
            notary.submit(chain, at=at(24 * epoch))
        late = [accrual(owner, asset_number(db, BUS), 17) for owner in citizens[:5]]
        _post(db, late)
        bus = asset_number(db, BUS)
        yield AuditedCity(url, keys, notary, chain, citizens, bus, late)
    finally:
        db.dispose()
        worker.dispose()


def _post(db: Database, rows: list[Row]) -> None:
    db.transact(lambda session: post(driver(session), rows))


def _epoch(db: Database, keys: Keys, citizens: list[int], random: Random) -> list[Row]:
    """Give movements of most kinds, corrections within the epoch among them, and write a note."""
    bus, bus_b = asset_number(db, BUS), asset_number(db, BUS_B)
    points, fen = (asset_number(db, asset) for asset in (POINTS, Money()))
    pool, absorbed = SYSTEM_ACCOUNTS["pool"], SYSTEM_ACCOUNTS["absorbed"]
    rows: list[Row] = []
    for owner in citizens:
        rows.append(accrual(owner, bus, 1000 + random.randrange(1000)))
        match random.randrange(5):
            case 0:
                wrong = accrual(owner, bus_b, 50)
                back = row(Code.CORRECT, owner, SYSTEM_ACCOUNTS["correction"], bus_b, 50)
                rows += [wrong, back._replace(corrects=wrong.id, corrects_on=wrong.recorded_on)]
            case 1:
                cause = new_id()
                rows.append(row(Code.EXCHANGE_POOL, owner, pool, bus, 500, cause))
                issuance = SYSTEM_ACCOUNTS["issuance/points"]
                rows.append(row(Code.GRANT_EXCHANGE, issuance, owner, points, 5, cause))
                rows.append(row(Code.HOLD, owner, owner + 1, points, 3))
                rows.append(row(Code.REDEEM, owner + 1, SYSTEM_ACCOUNTS["redeemed"], points, 2))
            case 2:
                rows.append(accrual(owner, bus_b, 70)._replace(evidence=bytes(range(32))))
                rows.append(row(Code.EXCHANGE_ABSORB, owner, absorbed, bus_b, 30))
            case _:
                rows.append(row(Code.CANCEL, owner, SYSTEM_ACCOUNTS["cancelled"], bus, 100))
    (merchant,) = owners(db, keys, 1, AccountKind.MERCHANT)
    (budget,) = owners(db, keys, 1, AccountKind.BUDGET)
    clearing, bank = SYSTEM_ACCOUNTS["clearing"], SYSTEM_ACCOUNTS["bank"]
    rows.append(row(Code.FUND, bank, budget, fen, 10_000))
    rows.append(row(Code.SETTLE, budget, clearing, fen, 400))
    rows.append(row(Code.SETTLE, clearing, merchant, fen, 400))
    db.transact(_note, citizens[random.randrange(len(citizens))], Code.DEBT_OPENED)
    return rows


def _note(session: Session, owner: int, code: Code) -> None:
    connection = driver(session)
    place = (bucket_of(owner), day_of(now()), new_id())
    connection.execute(
        "insert into log_note (bucket, recorded_on, id, account, code, cause)"
        " values (%s, %s, %s, %s, %s, %s)",
        (*place, owner, code, new_id()),
    )
    connection.execute(_WAIT, place)


def rewritten(city: AuditedCity) -> None:
    """Close all epochs anew from the rows as they are now, as an operator who owns everything."""
    with psycopg.connect(city.url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        entries = connection.execute(
            "select epoch, bucket, recorded_on, id from log_entry order by log_index"
        ).fetchall()
        waiting = connection.execute("select bucket, recorded_on, id from log_pending").fetchall()
        for table in (
            *("log_pending", "log_entry", "log_edge", "account_leaf", "account_anchor", "cell"),
            *("supply", "anchored", "submission", "epoch", "epoch_cut", "registry_message"),
        ):
            connection.execute(f"delete from {table}".encode())
        for epoch in range(1, EPOCHS + 1):
            _wait(connection, [row[1:] for row in entries if row[0] == epoch])
            assert city.notary.close(at=at(0) + timedelta(days=epoch - 1)) is not None
        _wait(connection, waiting)


def _wait(connection: Connection, rows: list[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(_WAIT, rows)


def one(city: AuditedCity, query: str) -> tuple[Any, ...]:
    """The first row of a query, as superuser."""
    with psycopg.connect(city.url) as connection:
        found = connection.execute(query.encode()).fetchone()
    assert found is not None
    return found


def found_after(city: AuditedCity, *statements: str) -> set[Found]:
    """What the audit finds while the statements' effect lasts."""
    with tampered(city.url, *statements):
        return set(audited(city.url, city.keys, ORIGIN, city.chain).findings)


def places(found: set[Found], kind: str) -> set[str]:
    """Where findings of one kind are."""
    return {each.where for each in found if each.kind == kind}


def kinds(found: set[Found]) -> set[str]:
    """The kinds of the findings."""
    return {each.kind for each in found}


def an_entry(city: AuditedCity, code: int = 1) -> tuple[str, int, str]:
    """A logged transfer: its condition, its owner, and how the audit names it."""
    id_, owner, log_index = one(
        city,
        f"select t.id, greatest(source, target), e.log_index from transfer t"
        f" join log_entry e on e.id = t.id where code = {code} and asset = {city.bus}"
        " order by log_index limit 1",
    )
    return f"id = '{id_}'", owner & ~1, f"log_index {log_index}, id {id_}"
