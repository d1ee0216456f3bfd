"""Cancellations, audited (自愿注销审计): whatever of one is changed behind the books is named."""

from pathlib import Path

import pytest

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.anchoring import ORIGIN
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.cancelling import Registrar, wish
from tests.support.owners import BUS, BUS_B, accrual, asset_number, post_all
from tests.support.points import citizens


@pytest.fixture
def registrar(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registrar:
    """One cancellation of two classes that is final, one that is posted, one that waits."""
    made = Registrar(db, worker_db, keys, tmp_path)
    (owner,) = citizens(db, keys, 1)
    amounts = {BUS: 1_000, BUS_B: 500}
    post_all(db, [accrual(owner, asset_number(db, of), mg) for of, mg in amounts.items()])
    made.cancelled(owner, wish(1_200))
    made.request(owner, wish(100))
    assert made.post() == 1
    made.request(owner, wish(100))
    return made


@pytest.mark.parametrize(
    "statement",
    [
        "update cancellation set mg = mg + 1",
        "update cancellation set purpose = 3 where posted_at is not null",
        "update cancellation set period = '2025' where posted_at is not null",
        "update cancellation set message_commit = sha256(salt) from cancellation_part",
        "update cancellation set posted_on = posted_on - 1 where posted_at is not null",
        "update cancellation set finalized_at = null",
        "update cancellation set finalized_at = posted_at",
        "update cancellation set posted_at = now(), posted_on = current_date",
        "update cancellation_part set mg = mg + 1",
        "update cancellation_part set salt = sha256(salt)",
        "update cancellation_part set transfer = uuidv7()",
        "delete from cancellation_part where mg = 200",
        "delete from cancellation where finalized_at is not null",
        "update transfer set evidence = sha256(evidence) where code = 12",
        "update transfer set cause = uuidv7() where code = 12",
        "update transfer set amount = amount + 1 where code = 12",
        "delete from transfer where code = 12",
        "delete from certificate",
        "update certificate set claim = replace(claim, '1000', '1001')",
        "update certificate set id = uuidv7()",
    ],
)
def test_whatever_is_changed_is_named(
    registrar: Registrar, database_url: str, keys: Keys, statement: str
) -> None:
    del registrar
    with tampered(database_url, statement):
        found = audited(database_url, keys, ORIGIN).findings
    assert "cancellation" in {each.kind for each in found}, found


def test_untouched_it_is_clean(registrar: Registrar, database_url: str, keys: Keys) -> None:
    del registrar
    assert assert_clean(database_url, keys, ORIGIN).checked["cancellations"] == 2
