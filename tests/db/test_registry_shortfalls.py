"""What a correction takes of issued grams: noted per batch, replaced from the buffer, else owed."""

from datetime import date
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest
from sqlmodel import Session

from app.activities.exits import Exits, Shortfall, note_shortfalls
from app.books import Row, post
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import recover
from app.points.debts import Taken
from app.registry.batches import holdings_of
from app.registry.replacing import replace_all, standing_of
from app.registry.terms import buffer_of
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code
from tests.support.acts import one, rows
from tests.support.owners import BUS, DAY, asset_number
from tests.support.points import citizens
from tests.support.registry import KG, Registry

CORRECTION = SYSTEM_ACCOUNTS["correction"]


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    return Registry(db, worker_db, keys, tmp_path)


def take_back(db: Database, owner: int, asset: int, mg: int) -> dict[str, int]:
    """Correct the owner's newest accruals by so much, and say where it was taken from."""

    def command(session: Session) -> dict[str, int]:
        connection, today, cause = driver(session), day_of(now()), new_id()
        bucket = bucket_of(owner)
        accrual, recorded_on = one_row(session, owner, asset)
        posted: list[Row] = []
        falls: list[Shortfall] = []
        taken: list[Taken] = []
        for place, part, batch in Exits(connection, {(owner, asset)}).take((owner, asset), mg):
            transfer = new_id()
            facts = (bucket, today, transfer, place, CORRECTION, asset, part, int(Code.CORRECT))
            posted.append(Row(*facts, cause, DAY, accrual, recorded_on))
            taken.append(Taken(owner, asset, part, place, cause))
            if batch is not None:
                falls.append(Shortfall(bucket, owner, transfer, batch, part, today))
        post(connection, [*posted, *recover(connection, taken, today=today, new_id=new_id)])
        note_shortfalls(connection, falls)
        return {str(row.source): row.amount for row in posted}

    return db.transact(command)


def one_row(session: Session, owner: int, asset: int) -> tuple[UUID, date]:
    query = """select id, recorded_on from transfer where target = %s and asset = %s and code = 1
                order by amount desc, id desc limit 1"""
    row = driver(session).execute(query, (owner, asset)).fetchone()
    assert row is not None
    return row[0], row[1]


def replaced(registry: Registry) -> int:
    at = registry.tick()
    return replace_all(registry.db, new_id=new_id, new_salt=lambda: token_bytes(32), at=at)


def short(registry: Registry, batch: UUID) -> tuple[int, int, int]:
    found = registry.db.read(lambda session: standing_of(driver(session), batch))
    return found.short_mg, found.replaced_kg, found.deficit_kg


def in_buffer(registry: Registry) -> list[int]:
    def query(session: Session) -> list[int]:
        return [h.available_kg for h in holdings_of(driver(session), buffer_of(session))]

    return registry.db.read(query)


def test_the_buffer_makes_good_each_whole_kilogram_and_the_rest_is_owed(
    registry: Registry, db: Database, keys: Keys
) -> None:
    registry.terms(buffer_permille=100)
    bus = asset_number(db, BUS)
    ann, ben = citizens(db, keys, 2)
    registry.pool(ann, bus, 10 * KG)
    registry.pool(ben, bus, 10 * KG)
    batch = registry.issued(BUS)
    assert in_buffer(registry) == [2]
    assert take_back(db, ann, bus, 900_000) == {str(SYSTEM_ACCOUNTS["issued"]): 900_000}
    assert replaced(registry) == 0
    assert short(registry, batch.id) == (900_000, 0, 0)
    take_back(db, ben, bus, 400_000)
    assert replaced(registry) == 1
    assert replaced(registry) == 0
    assert short(registry, batch.id) == (1_300_000, 1, 0)
    assert in_buffer(registry) == [1]
    retired = one(db, "select purpose, quantity_kg, holder from retirement")
    assert retired[:2] == (8, 1)
    assert registry.batch(batch.id).cursor_kg == 1
    take_back(db, ben, bus, 3_000_000)
    assert replaced(registry) == 1
    assert short(registry, batch.id) == (4_300_000, 2, 2)
    # A later batch fills the buffer again, and the deficit is gone.
    registry.pool(citizens(db, keys, 1)[0], bus, 30 * KG)
    registry.issued(BUS)
    assert replaced(registry) == 2
    assert short(registry, batch.id) == (4_300_000, 4, 0)


def test_the_pool_gives_before_the_batches_and_the_newest_batch_first(
    registry: Registry, db: Database, keys: Keys
) -> None:
    registry.terms(buffer_permille=0)
    bus = asset_number(db, BUS)
    (ann,) = citizens(db, keys, 1)
    made: list[UUID] = []
    for _ in range(2):
        registry.pool(ann, bus, 5 * KG)
        made.append(registry.issued(BUS).id)
    registry.pool(ann, bus, 3 * KG)
    pool, issued = (str(SYSTEM_ACCOUNTS[name]) for name in ("pool", "issued"))
    assert take_back(db, ann, bus, 4 * KG) == {pool: 3 * KG, issued: KG}
    assert rows(db, "select batch, mg from issued_shortfall") == [(made[1], KG)]
    take_back(db, ann, bus, 5 * KG)
    query = "select batch, sum(mg)::int8 from issued_shortfall group by batch order by 2"
    assert rows(db, query) == [(made[0], KG), (made[1], 5 * KG)]
    # The points that the issued grams had brought are owed back.
    assert one(db, "select sum(points)::int8 from exchange_recovery") == (9 * KG // 10_000,)


def test_the_next_lot_is_of_what_is_left(registry: Registry, db: Database, keys: Keys) -> None:
    registry.terms(buffer_permille=0)
    bus = asset_number(db, BUS)
    (ann,) = citizens(db, keys, 1)
    registry.pool(ann, bus, 5 * KG)
    registry.issued(BUS)
    take_back(db, ann, bus, 2 * KG)
    registry.pool(ann, bus, 4 * KG)
    lot = registry.frozen(BUS)
    assert lot.mg == 4 * KG
