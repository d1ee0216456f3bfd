"""A crash at every commit, send and rename of an erasure, lost and landed; then tampering.

Goal: each stage happens once, in its order, whoever takes over. Method: as for anchoring, one run
counts the effects and each is crashed at in turn, so a new one is covered on the day it is written.
"""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlmodel import Session

from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.privacy import stages
from ledger.chart import Code
from tests.support.acts import one
from tests.support.anchoring import ORIGIN, receipt, verify
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.leaving import Town, dump, found_in, owner_rows
from tests.support.owners import BUS_B, accrual, asset_number, post_all
from tests.support.postgres import empty
from tests.support.tripwire import Crash, Tripwire

EFFECTS_MAX = 60


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_it_survives_a_crash_at_every_effect(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, *, landed: bool
) -> None:
    for crash_at in range(1, EFFECTS_MAX):
        empty(db.url)
        town = Town(db, worker_db, keys, tmp_path / str(crash_at))
        a, b = town.join(1), town.join(2)
        town.ask(a)
        wire = Tripwire(crash_at, landed=landed)
        try:
            with wire.across(worker_db, town.chain):
                town.work()
                town.close()
                town.work()
            crashed = False
        except Crash:
            crashed = True
        town.chain = town.chain.again()
        for _ in range(3):
            town.work()
            town.close()
        town.work()

        assert one(db, "select stage from erasure") == ("destroyed",), crash_at
        notes = owner_rows(db, "select count(*) from log_note where code = %s", Code.ERASE)
        assert notes == [(1,)], crash_at
        left = found_in(dump(db.url), [*a.words(), *a.hashes(keys, town.metro)])
        assert left == set(), crash_at
        assert_clean(db.url, keys, ORIGIN, town.chain)
        assert verify(town.notary, receipt(town.notary, db, b.who.owner)).startswith("true")
        if not crashed:
            assert crash_at > 8, "the wire is laid across nothing"
            return
    raise AssertionError("more effects than this test can pass")


def test_what_slips_in_during_the_last_stage_undoes_it(
    db: Database,
    worker_db: Database,
    keys: Keys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town(db, worker_db, keys, tmp_path)
    a = town.join(1)
    town.ask(a)
    town.work()
    town.close()
    late = accrual(a.who.owner, asset_number(db, BUS_B), 50)
    forget, times = stages.forget, []

    def slow(*facts: object) -> None:
        if not times:
            times.append(1)
            post_all(db, [late])
        forget(*facts)  # type: ignore[arg-type] -- as it is called

    monkeypatch.setattr(stages, "forget", slow)
    assert town.work() == 0
    assert one(db, "select stage from erasure") == ("noted",)
    assert one(db, "select count(*) from profile") == (1,), "the transaction was undone"
    assert town.work() == 0
    town.close()
    assert town.work() == 1


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("update transfer set amount = amount + 1 where target = {0} and code = 1", "balance"),
        ("update transfer set target = {1} where target = {0} and code = 1", "law"),
        ("delete from transfer where target = {0} and code = 1", "entry"),
        ("update log_entry set leaf = sha256(leaf) where owner = {0}", "log_root"),
        ("update account_leaf set leaf = sha256(leaf) where akey = {akey}", "leaf"),
        ("delete from account_anchor where akey = {akey}", "account"),
        ("update account_anchor set mg_credits = mg_credits + 1 where akey = {akey}", "cell"),
        ("delete from log_note where account = {0}", "entry"),
        ("insert into balance select bucket, {0}, asset, 5, 0 from balance limit 1", "balance"),
    ],
)  # fmt: skip
def test_tampering_with_what_was_anothers_is_found(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, statement: str, kind: str
) -> None:
    town = Town(db, worker_db, keys, tmp_path)
    a, b = town.join(1), town.join(2)
    ((akey,),) = owner_rows(db, "select akey from account where id = %s", a.who.owner)
    town.erase(a)
    assert_clean(db.url, keys, ORIGIN, town.chain)
    told = statement.format(a.who.owner, b.who.owner, akey=f"'\\x{akey.hex()}'::bytea")
    with tampered(db.url, told):
        report = audited(db.url, keys, ORIGIN, town.chain)
    assert kind in {found.kind for found in report.findings}, report.findings
    assert_clean(db.url, keys, ORIGIN, town.chain)


def test_amounts_that_still_add_up_are_held_to_the_supply(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    town = Town(db, worker_db, keys, tmp_path)
    a = town.join(1)
    town.erase(a)
    owner = a.who.owner
    both = f"update transfer set amount = amount + 1 where {owner} in (source, target)"
    first = f"{both} and id in (select min(id::text)::uuid from transfer where target = {owner})"
    last = f"{both} and id in (select max(id::text)::uuid from transfer where source = {owner})"
    with tampered(db.url, first, last):
        report = audited(db.url, keys, ORIGIN, town.chain)
    assert "supply" in {found.kind for found in report.findings}, report.findings


def test_the_worker_may_and_the_application_may_not(db: Database, worker_db: Database) -> None:
    for table in ("subject", "consent", "instrument", "citizen_setting", "guardianship"):
        delete = sql.SQL("delete from {} where bucket = -1").format(sql.Identifier(table))

        def command(session: Session, statement: sql.Composed = delete) -> None:
            driver(session).execute(statement)

        worker_db.transact(command)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.transact(command)
