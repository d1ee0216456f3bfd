"""One statement, one round trip, one transaction: ``db.call`` (直接调用)."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from app.kernel.db import Database
from tests.support.acts import one

END_OTHERS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
 where pid <> pg_backend_pid() and datname = current_database()"""

TAKE = """
insert into desk_answer (actor, key, request, kept_until)
values ('clk_1', %s, sha256(''), now()) returning current_user"""


def test_what_it_ran_is_committed_and_was_the_applications(db: Database) -> None:
    assert db.call(TAKE, ("a",)) == ("tanpu_app",)
    assert one(db, "select count(*) from desk_answer") == (1,)


def test_a_statement_that_fails_leaves_nothing_and_a_line_that_works(db: Database) -> None:
    for _ in range(3):
        with pytest.raises(psycopg.errors.DivisionByZero):
            db.call("select 1 / %s::int", (0,))
        assert db.call("select %s::int", (7,)) == (7,)


def test_a_server_that_went_away_is_noticed_once(db: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(db.call, "select pg_sleep(0.05)", ())
    with psycopg.connect(db.url, autocommit=True) as other:
        other.execute(END_OTHERS)
    with pytest.raises(psycopg.OperationalError):
        db.call("select 1", ())
    assert [db.call("select %s::int", (n,)) for n in range(12)] == [(n,) for n in range(12)]
    db.call("select 1", ())


def test_what_another_holds_is_tried_again(db: Database) -> None:
    """A unique violation is worth a second look: by then the other's row can be seen."""
    tries: list[int] = []
    call = db._call  # pyright: ignore[reportPrivateUsage] -- counted

    def counted(statement: str, values: object) -> object:
        tries.append(1)
        return call(statement, values)  # type: ignore[arg-type] -- as it is called

    db._call = counted  # type: ignore[method-assign]  # pyright: ignore -- counted
    db.call(TAKE, ("b",))
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.call(TAKE, ("b",))
    assert len(tries) == 5
