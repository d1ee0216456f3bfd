"""The audit of acts: told once, worth what was posted, and capped by the day."""

from collections.abc import Callable

import psycopg
import pytest

from app.books import Row
from app.kernel.db import Database
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import Reduction
from ledger.chart import Code
from methodologies import CATALOG
from tests.support.anchoring import ORIGIN
from tests.support.auditing import assert_clean, audited
from tests.support.owners import BUS, DAY, accrual, asset_number, owners, post_all, row

Acts = Callable[..., None]
RECORD = "\\x" + "ab" * 16
OTHER = "\\x" + "cd" * 16


@pytest.fixture
def statement(database_url: str) -> Callable[[str], None]:
    """Runs SQL as the owner of the schema, triggers off."""

    def run(sql: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(sql.encode())

    return run


def granted(owner: int, asset: int, mg: int) -> Row:
    """An accrual as an act causes it."""
    made = accrual(owner, asset, mg)
    return made._replace(cause=made.id)


class Told:
    """One person's act of 700 mg under a cap of 1,000, told and posted."""

    def __init__(self, db: Database, keys: Keys, run: Callable[[str], None]) -> None:
        """Tell it."""
        (self.owner,) = owners(db, keys, 1)
        self.asset = asset_number(db, BUS)
        self.first = granted(self.owner, self.asset, 700)
        self.bucket = bucket_of(self.owner)
        self.run = run
        post_all(db, [self.first])
        self.act(str(self.first.id), RECORD, 700)
        self.key(RECORD, str(self.first.id))
        self.day(700)

    def act(self, id_: str, record: str, raw_mg: int) -> None:
        """Write an act."""
        self.run(
            "insert into activity (bucket, account, recorded_on, id, provider, external_hash,"
            " upload, methodology, occurred_on, evidence, mode, asset, raw_mg) values"
            f" ({self.bucket}, {self.owner}, '{self.first.recorded_on}', '{id_}', 1, '{record}',"
            f" gen_random_uuid(), 1, '{DAY}', 3, 'bus', {self.asset}, {raw_mg})"
        )

    def key(self, record: str, id_: str) -> None:
        """Write a once-only key."""
        self.run(
            "insert into activity_key values"
            f" (1, '{record}', sha256('x'), {self.bucket}, {self.owner},"
            f" '{self.first.recorded_on}', '{id_}')"
        )

    def day(self, raw_mg: int) -> None:
        """Write what the day comes to."""
        self.run(
            f"insert into accrual_day values"
            f" ({self.bucket}, {self.owner}, '{DAY}', {self.asset}, {raw_mg}, 1000)"
        )

    def change(self, id_: str, mg: int) -> None:
        """Write a later accrual or correction of the act."""
        self.run(
            "insert into act_change (bucket, account, id, activity, recorded_on, amount_mg)"
            f" values ({self.bucket}, {self.owner}, '{id_}', '{self.first.id}',"
            f" '{self.first.recorded_on}', {mg})"
        )


@pytest.fixture
def told(db: Database, keys: Keys, statement: Callable[[str], None]) -> Told:
    """One act, told and posted."""
    return Told(db, keys, statement)


def acts_found(url: str, keys: Keys) -> list[str]:
    """Where the audit finds something wrong with acts; with nothing else anything is."""
    findings = audited(url, keys, ORIGIN).findings
    assert {each.kind for each in findings} <= {"act"}, findings
    return [f"{each.where}: {each.detail}" for each in findings]


def test_an_act_with_its_accrual_is_clean(told: Told, database_url: str, keys: Keys) -> None:
    assert told.owner
    report = assert_clean(database_url, keys, ORIGIN)
    assert report.checked["acts"] == 1
    assert not [each for each in report.notices if each.kind == "act"]


def test_a_record_taken_twice_is_named(told: Told, database_url: str, keys: Keys) -> None:
    told.act("00000000-0000-7000-8000-000000000001", RECORD, 0)
    found = acts_found(database_url, keys)
    assert any("taken 2 times" in each for each in found)
    assert any("its key names act" in each for each in found)


def test_a_key_without_an_act_is_a_notice(told: Told, database_url: str, keys: Keys) -> None:
    told.key(OTHER, "00000000-0000-7000-8000-000000000002")
    report = assert_clean(database_url, keys, ORIGIN)
    assert [each.where for each in report.notices if each.kind == "act"] == ["activity_key"]


def test_an_act_that_was_worth_less_than_its_accrual_is_named(
    told: Told, database_url: str, keys: Keys
) -> None:
    told.run("update activity set raw_mg = 600")
    assert any(str(told.first.id) in each for each in acts_found(database_url, keys))


def test_a_day_beyond_its_cap_is_named(
    told: Told, db: Database, database_url: str, keys: Keys
) -> None:
    second = granted(told.owner, told.asset, 700)
    post_all(db, [second])
    told.act(str(second.id), OTHER, 700)
    told.run("update accrual_day set raw_mg = 1400")
    (found,) = acts_found(database_url, keys)
    assert f"account {told.owner}, day {DAY}" in found
    assert "counts 1000, was granted 1400" in found


def test_a_correction_is_held_to_its_transfer(
    told: Told, db: Database, database_url: str, keys: Keys
) -> None:
    back = row(Code.CORRECT, told.owner, SYSTEM_ACCOUNTS["correction"], told.asset, 700)
    first = told.first
    post_all(db, [back._replace(corrects=first.id, corrects_on=first.recorded_on)])
    told.change(str(back.id), -700)
    told.run(
        "insert into act_merge (bucket, account, id, activity, counted, reason, recorded_on)"
        f" values ({told.bucket}, {told.owner}, uuidv7(), '{first.id}', uuidv7(),"
        f" 'merge.same_act', '{first.recorded_on}')"
    )
    told.run("update accrual_day set raw_mg = 0")
    assert_clean(database_url, keys, ORIGIN)
    told.run("update act_change set amount_mg = -300")
    assert any("moved 700" in each for each in acts_found(database_url, keys))


def test_an_accrual_that_no_act_names_is_named(
    told: Told, db: Database, database_url: str, keys: Keys
) -> None:
    post_all(db, [accrual(told.owner, told.asset, 5)])
    assert acts_found(database_url, keys) == ["transfer: 1 accruals that no act names"]


def test_books_without_acts_have_none_to_name(db: Database, database_url: str, keys: Keys) -> None:
    (owner,) = owners(db, keys, 1)
    post_all(db, [accrual(owner, asset_number(db, BUS), 5)])
    report = assert_clean(database_url, keys, ORIGIN)
    assert "1 accruals that no act names" in [each.detail for each in report.notices]


@pytest.mark.parametrize(
    ("change", "told_of"),
    [
        ("update transfer set cause = uuidv7()", "is not what the act was worth"),
        ("update transfer set evidence = sha256('y')", "commits to another content"),
        ("update accrual_day set raw_mg = raw_mg + 1", "its acts come to 700, its row says 701"),
    ],
)
def test_a_story_told_differently_is_named(
    told: Told, database_url: str, keys: Keys, change: str, told_of: str
) -> None:
    told.run(change)
    assert any(told_of in each for each in acts_found(database_url, keys))


def published(db: Database, told: Told) -> tuple[int, int]:
    """Make the act one of a published methodology; gives its cap [mg] and its new asset."""
    document = CATALOG["SZ-METRO", 1]
    assert document.cap_mg is not None
    asset = Reduction("SZ-METRO", 1, document.scenario, "B", DAY.replace(day=1))
    number = asset_number(db, asset)
    for table in ("transfer", "balance", "activity", "accrual_day"):
        told.run(f"update {table} set asset = {number}")
    told.run(f"update accrual_day set cap_mg = {document.cap_mg}")
    return document.cap_mg, number


def test_a_cap_that_was_lifted_is_named(
    told: Told, db: Database, database_url: str, keys: Keys
) -> None:
    cap_mg, _ = published(db, told)
    assert_clean(database_url, keys, ORIGIN)
    told.run(f"update accrual_day set cap_mg = {cap_mg} + 1")
    assert acts_found(database_url, keys)


def test_an_act_whose_accrual_is_gone_is_named(
    told: Told, db: Database, database_url: str, keys: Keys
) -> None:
    published(db, told)
    for table in ("transfer", "balance", "log_pending", "accrual_day"):
        told.run(f"delete from {table}")
    (found,) = acts_found(database_url, keys)
    assert "its acts come to 700, its row says nothing; counts 700, was granted 0" in found
