"""From the pool to units: a lot frozen, sampled, decided and issued, and who may say what when."""

from pathlib import Path

import pytest

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.acts import one, rows
from tests.support.owners import BUS, asset_number
from tests.support.points import citizens
from tests.support.registry import KG, Registry


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    return Registry(db, worker_db, keys, tmp_path)


def moved(db: Database) -> dict[tuple[str, str], int]:
    """What moved between places, by asset class."""
    query = """select s.name, t.code::text, sum(t.amount)::int8 from transfer t
                 join system_account s on s.id = t.source where t.code in (15, 16) group by 1, 2"""
    return {(name, code): mg for name, code, mg in rows(db, query)}


def test_what_is_pooled_is_issued_in_whole_kilograms(
    registry: Registry, db: Database, keys: Keys
) -> None:
    registry.terms(buffer_permille=50)
    bus = asset_number(db, BUS)
    for owner in citizens(db, keys, 3):
        registry.pool(owner, bus, 1_500_000, 2_000_000, 340_000)
    batch = registry.issued(BUS)
    assert (batch.number, batch.quantity_kg, batch.buffer_kg) == (1, 11, 1)
    assert moved(db) == {("pool", "15"): 11 * KG, ("issuance/unit", "16"): 11}
    places = rows(db, "select lower(place), upper(place) from issued_row order by place")
    assert places[0][0] == 0
    assert places[-1][1] == 11 * KG
    assert [end for _, end in places[:-1]] == [start for start, _ in places[1:]]
    assert one(db, "select kind, batch from registry_message") == ("issue", batch.id)
