"""A registry that was tampered with: every edit behind the desk is found, and named so."""

from pathlib import Path
from secrets import token_bytes

import psycopg
import pytest

from app.audit.openings import Openings
from app.audit.registry import check_registry
from app.audit.report import Sheet
from app.audit.streams import prepare
from app.kernel.db import Connection, Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.registry.replacing import replace_all
from tests.db.test_registry_shortfalls import take_back
from tests.support.anchoring import ORIGIN
from tests.support.auditing import audited
from tests.support.owners import BUS, asset_number
from tests.support.points import citizens
from tests.support.registry import KG, Registry


@pytest.fixture
def registry(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registry:
    """Two batches of one class, of which the first is short and one unit was replaced."""
    made = Registry(db, worker_db, keys, tmp_path)
    made.terms(buffer_permille=100, sample_rows=2)
    bus = asset_number(db, BUS)
    people = citizens(db, keys, 3)
    for _ in range(2):
        for owner in people:
            made.pool(owner, bus, 2_400_000, 1_300_000)
        made.issued(BUS)
    take_back(db, people[0], bus, 2_100_000)
    replace_all(db, new_id=new_id, new_salt=lambda: token_bytes(32), at=made.tick())
    made.pool(people[1], bus, 3 * KG)
    made.frozen(BUS)
    return made


EDITS = (
    """update issue_batch set quantity_kg = quantity_kg - 1, end_kg = end_kg - 1,
              series = int8range(lower(series), upper(series) - 1000000) where number = 2""",
    "update issue_batch set buffer_kg = buffer_kg + 1 where number = 1",
    "delete from issue_batch where number = 2",
    "update transfer set amount = amount - 1 where code = 15",
    "update transfer set amount = amount - 1 where code = 16",
    "update transfer set amount = amount * 9 where code = 15",
    "update issued_row set place = int8range(lower(place), upper(place) - 1)",
    "update issued_row set place = int8range(lower(place) + 1, upper(place) + 1)",
    "update issued_row set activity = gen_random_uuid()",
    "update issued_row set lot = gen_random_uuid()",
    "delete from issued_row where lower(place) = 0",
    "update lot_row set mg = mg - 1, act_mg = act_mg - 1",
    "update lot_row set act_mg = act_mg + 1",
    "update lot_row set evidence = sha256('x')",
    "update lot_row set occurred_on = occurred_on + 1",
    "update lot_row set leaf = sha256(leaf)",
    "update lot_row set activity = gen_random_uuid()",
    "delete from lot_row",
    "update lot_leaf set leaf = sha256(leaf)",
    "update lot_leaf set mg = mg + 1",
    "update lot_leaf set bucket = bucket + 1",
    "update lot_leaf set position = position + 1000",
    "delete from lot_leaf",
    "update lot_tile set hashes = sha256(hashes)",
    "delete from lot_tile",
    "update lot set root = sha256(root)",
    "update lot set leaves = leaves + 1",
    "update lot set mg = mg + 1",
    "update lot set outcome = 'rejected' where outcome = 'issued'",
    "delete from lot_decision",
    "update lot_decision set is_confirmed = false",
    "delete from lot_finding",
    "update lot_nonce set nonce = sha256(nonce) where party = 'verifier'",
    "update lot_nonce set commitment = sha256(commitment) where party = 'regulator'",
    "delete from lot_nonce",
    "update lot_nonce set committed_at = committed_at + interval '2 days'",
    "update lot_nonce set revealed_at = revealed_at + interval '8 days'",
    "update lot_nonce set nonce = null, revealed_at = null",
    "update lot_nonce set nonce = null, revealed_at = null where party = 'regulator'",
    "update lot_sample set epoch = epoch + 1",
    "update lot_sample set seed = sha256(seed)",
    "update lot_sample set block_hash = sha256(block_hash)",
    "update sampled_row set position = 99 where draw = 1",
    "delete from sampled_row where draw = 2",
    "update issued_shortfall set mg = mg - 1",
    "update issued_shortfall set batch = (select id from issue_batch where number = 1)",
    "delete from issued_shortfall",
    "update transfer set amount = amount - 1 where source = 11 and code = 2",
    "update replacement set quantity_kg = quantity_kg + 1",
    "delete from replacement",
    "update transfer set amount = 1 where target = 10",
)


def found(connection: Connection, keys: Keys) -> list[str]:
    """What the registry's own check finds."""
    sheet = Sheet()
    prepare(connection)
    check_registry(connection, Openings(keys), sheet)
    return [each.detail for each in sheet.findings]


def test_untouched_nothing_is_found(registry: Registry) -> None:
    report = audited(registry.db.url, registry.keys, ORIGIN)
    assert [each for each in report.findings if each.kind != "chain"] == []
    assert report.checked["lot_rows"] > 12


def test_every_edit_is_found(registry: Registry, database_url: str) -> None:
    missed: list[str] = []
    with psycopg.connect(database_url) as connection:
        for statement in EDITS:
            connection.execute("set local session_replication_role = replica")
            assert connection.execute(statement.encode()).rowcount, statement
            if not found(connection, registry.keys):
                missed.append(statement)
            connection.rollback()
        assert found(connection, registry.keys) == []
    assert missed == []
