"""One statement, one round trip, one transaction: ``db.call`` (直接调用)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import psycopg
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel.db import Connection, Database
from app.kernel.lines import Lines
from tests.support.acts import one

END_OTHERS = """
select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
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


def test_what_another_holds_is_tried_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unique violation is worth a second look: by then the other's row can be seen."""
    tries: list[int] = []
    line = Lines.line

    def counted(self: Lines) -> AbstractContextManager[Connection]:
        tries.append(1)
        return line(self)

    monkeypatch.setattr(Lines, "line", counted)
    db.call(TAKE, ("b",))
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.call(TAKE, ("b",))
    assert len(tries) == 5


def test_no_more_are_opened_than_may_be(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many again as are kept; whoever comes later waits a little and is told."""
    monkeypatch.setattr("app.kernel.lines.WAIT_S", 0.05)
    lines = Lines(database_url, "-c role=tanpu_app", 1)
    with lines.line() as a, lines.line() as b:
        with pytest.raises(PoolTimeout), lines.line():
            pass
        pids = {line.info.backend_pid for line in (a, b)}
    with lines.line() as again:
        assert again.info.backend_pid in pids
        assert sorted(line.closed for line in (a, b)) == [False, True]
    lines.dispose()
    assert again.closed


def test_a_line_left_in_the_middle_of_something_is_lent_to_nobody(database_url: str) -> None:
    lines = Lines(database_url, "-c role=tanpu_app", 1)
    with lines.line() as line:
        line.execute("begin")
    with lines.line() as next_:
        assert (next_ is line, line.closed) == (False, True)
    lines.dispose()
