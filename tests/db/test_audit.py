"""The audit of a city that nobody touched, while it works, and what it says beside findings."""

from collections.abc import Iterator
from threading import Event, Thread

import psycopg
import pytest
from sqlmodel import Session

from app.audit.report import LISTED_MAX, Sheet
from app.audit.schema import APPEND_ONLY, FORGET_ONLY
from app.embedded.postgres import Postgres
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.migrations import migrate
from tests.support.anchoring import ORIGIN, at
from tests.support.audited_city import AuditedCity, audited_city
from tests.support.auditing import assert_clean
from tests.support.owners import accrual, post_all
from tests.support.postgres import create, drop

NAME = "audited_city"


@pytest.fixture(scope="module")
def city(
    postgres: Postgres, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuditedCity]:
    """One city for this module."""
    url = create(postgres, NAME)
    migrate(url)
    with audited_city(url, keys, tmp_path_factory.mktemp("city")) as made:
        yield made
    drop(postgres, NAME)


def test_it_finds_nothing_in_a_city_that_nobody_touched(city: AuditedCity) -> None:
    report = assert_clean(city.url, city.keys, ORIGIN, city.chain)
    assert report.checked["entries"] > 1000


def test_every_append_only_table_is_on_its_list(city: AuditedCity) -> None:
    with psycopg.connect(city.url) as connection:
        rows = connection.execute(
            "select distinct t.tgname, coalesce(p.relname, c.relname) from pg_trigger t"
            " join pg_class c on c.oid = t.tgrelid left join pg_inherits i on i.inhrelid = c.oid"
            " left join pg_class p on p.oid = i.inhparent"
            " where t.tgname in ('append_only', 'forget_only')"
        ).fetchall()
    assert {table for name, table in rows if name == "append_only"} == APPEND_ONLY
    assert {table for name, table in rows if name == "forget_only"} == FORGET_ONLY


def test_it_finds_nothing_while_postings_and_a_close_go_on(city: AuditedCity) -> None:
    """Goal: one snapshot. Method: post and close in a thread while audits follow one another."""
    stop, failed = Event(), list[BaseException]()
    db = Database(city.url, pool_size=1)

    def work() -> None:
        try:
            for number in range(200):
                if stop.is_set():
                    return
                rows = [accrual(owner, city.bus, 3) for owner in city.citizens[:20]]
                post_all(db, rows)
                if number % 5 == 0:
                    city.notary.close(at=at(24 * 30 + number))
                    city.notary.publish()
                    city.notary.submit(city.chain, at=at(24 * 30 + number))
        except BaseException as error:  # noqa: BLE001 -- told to the test below
            failed.append(error)

    thread = Thread(target=work)
    thread.start()
    try:
        before = assert_clean(city.url, city.keys, ORIGIN, city.chain).checked["transfers"]
        after = before
        for _ in range(4):
            after = assert_clean(city.url, city.keys, ORIGIN, city.chain).checked["transfers"]
    finally:
        stop.set()
        thread.join(timeout=60)
        db.dispose()
    assert not failed
    assert after > before


def test_it_may_read_and_nothing_else(city: AuditedCity) -> None:
    def run(session: Session, statement: str) -> None:
        driver(session).execute(statement.encode())

    db = Database(city.url, role="tanpu_audit", pool_size=1)
    for statement in (
        "update balance set credits = credits + 1",
        "delete from log_pending",
        "insert into job (name, slot) values ('x', now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.transact(run, statement)
    db.dispose()


def test_its_list_is_bounded_and_its_count_is_not() -> None:
    sheet = Sheet()
    for number in range(LISTED_MAX + 7):
        sheet.find("entry", f"log_index {number}", "")
    report = sheet.report()
    assert len(report.findings) == LISTED_MAX
    assert [notice.detail for notice in report.notices] == ["7 more are not listed"]
    assert report.as_json()["ok"] is False
