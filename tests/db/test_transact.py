"""Transactions: tried again on conflicts and on nothing else; reads that cannot write; roles."""

import threading
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors, sql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, text

from app.kernel.db import ATTEMPTS_MAX, Connection, Database, driver, ensure_database, sqlstate


class Failing:
    """A command that the server fails the first times, with a state."""

    def __init__(self, state: str, times: int) -> None:
        self.state, self.times, self.tries = state, times, 0

    def __call__(self, session: Session, *, through_sqlalchemy: bool) -> str:
        self.tries += 1
        if self.tries <= self.times:
            failing = f"do $$ begin raise exception 'no' using errcode = '{self.state}'; end $$"
            if through_sqlalchemy:
                session.connection().execute(text(failing))
            else:
                driver(session).execute(failing.encode())
        return "done"


@pytest.mark.parametrize("through_sqlalchemy", [True, False])
@pytest.mark.parametrize("state", ["40001", "40P01", "23505"])
def test_a_conflict_is_tried_again(db: Database, state: str, through_sqlalchemy: bool) -> None:
    command = Failing(state, ATTEMPTS_MAX - 1)
    assert db.transact(command, through_sqlalchemy=through_sqlalchemy) == "done"
    assert command.tries == ATTEMPTS_MAX


@pytest.mark.parametrize("state", ["40001", "40P01", "23505"])
def test_a_conflict_that_stays_is_raised(db: Database, state: str) -> None:
    command = Failing(state, 99)
    with pytest.raises((DBAPIError, psycopg.Error)) as raised:
        db.transact(command, through_sqlalchemy=False)
    assert isinstance(raised.value, DBAPIError | psycopg.Error)
    assert sqlstate(raised.value) == state
    assert command.tries == ATTEMPTS_MAX


@pytest.mark.parametrize("state", ["23503", "23514", "42501", "57014", "55P03", "P0001"])
def test_anything_else_is_not_tried_again(db: Database, state: str) -> None:
    command = Failing(state, 1)
    with pytest.raises((DBAPIError, psycopg.Error)):
        db.transact(command, through_sqlalchemy=True)
    assert command.tries == 1


def test_an_error_of_python_rolls_back_at_once(db: Database) -> None:
    tries: list[int] = []

    def command(session: Session) -> None:
        tries.append(1)
        driver(session).execute(INSERT, ("half",))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.transact(command)
    assert tries == [1]
    assert names(db) == []


INSERT: LiteralString = (
    "insert into provider (code, name_zh, name_en, opened_at) values (%s, 'x', 'x', now())"
)


def insert(session: Session, code: str) -> None:
    driver(session).execute(INSERT, (code,))


def names(db: Database) -> list[str]:
    query = "select code from provider order by code"
    return [code for (code,) in db.read(lambda session: driver(session).execute(query).fetchall())]


def test_what_a_retried_command_wrote_first_is_gone(db: Database) -> None:
    tries: list[int] = []

    def command(session: Session) -> None:
        tries.append(1)
        driver(session).execute(INSERT, (f"try-{len(tries)}",))
        if len(tries) == 1:
            driver(session).execute("do $$ begin raise 'x' using errcode = '40001'; end $$")

    db.transact(command)
    assert names(db) == ["try-2"]


def test_a_deadlock_is_survived_by_both(db: Database) -> None:
    for code in ("aa", "bb"):
        db.transact(insert, code)
    met = threading.Barrier(2, timeout=20)
    first_try = {"aa": True, "bb": True}

    def command(session: Session, mine: str, other: str) -> None:
        lock = "select 1 from provider where code = %s for update"
        driver(session).execute(lock, (mine,))
        if first_try[mine]:
            first_try[mine] = False
            met.wait()
        driver(session).execute(lock, (other,))

    threads = [
        threading.Thread(target=db.transact, args=(command, *pair))
        for pair in (("aa", "bb"), ("bb", "aa"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_a_read_refuses_to_write(db: Database) -> None:
    def write(session: Session) -> None:
        driver(session).execute(INSERT, ("sly",))

    with pytest.raises(errors.ReadOnlySqlTransaction):
        db.read(write)
    assert names(db) == []


def test_a_read_sees_one_moment(db: Database) -> None:
    def query(session: Session) -> tuple[int, int]:
        count = "select count(*) from provider"
        before = driver(session).execute(count).fetchall()[0][0]
        db.transact(lambda other: driver(other).execute(INSERT, ("later",)))
        return before, driver(session).execute(count).fetchall()[0][0]

    assert db.read(query) == (0, 0)
    assert names(db) == ["later"]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("tanpu_app", "update transfer set amount = amount"),
        ("tanpu_app", "delete from transfer"),
        ("tanpu_app", "truncate transfer"),
        ("tanpu_app", "delete from log_pending"),
        ("tanpu_app", "create table sly (x int)"),
        ("tanpu_worker", "update transfer set amount = amount"),
        ("tanpu_worker", "truncate log_entry"),
        ("tanpu_audit", "insert into job (name, slot) values ('x', now())"),
        ("tanpu_audit", "delete from activity"),
    ],
)
def test_a_role_cannot_do_what_is_not_its_to_do(
    database_url: str, role: str, statement: LiteralString
) -> None:
    db = Database(database_url, role=role, pool_size=1)
    try:
        with pytest.raises(errors.InsufficientPrivilege):
            db.transact(lambda session: driver(session).execute(statement))
    finally:
        db.dispose()


END_OTHERS: LiteralString = """
select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
 where pid <> pg_backend_pid() and datname = current_database()"""


def test_what_the_server_ended_is_not_used_again(db: Database) -> None:
    """Idle connections of a server that went away and came back cost nobody a request."""
    met = threading.Barrier(4, timeout=20)

    def hold(session: Session) -> None:
        driver(session)
        met.wait()

    threads = [threading.Thread(target=db.transact, args=(hold,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for code in ("before", "after"):
        db.transact(insert, code)
        with psycopg.connect(db.url, autocommit=True) as other:
            other.execute(END_OTHERS)
        assert code in names(db)


def count_of(connection: Connection) -> int:
    row = connection.execute("select count(*) from provider").fetchone()
    assert row is not None
    return row[0]


def test_a_look_refuses_to_write_and_outlives_the_server(db: Database) -> None:
    with pytest.raises(errors.ReadOnlySqlTransaction):
        db.look(lambda line: line.execute(INSERT, ("sly",)))
    assert db.look(count_of) == 0
    db.transact(insert, "seen")
    with psycopg.connect(db.url, autocommit=True) as other:
        other.execute(END_OTHERS)
    assert db.look(count_of) == 1


def test_a_look_at_a_database_that_is_away_is_an_error() -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    with pytest.raises(psycopg.OperationalError):
        db.look(count_of)
    db.dispose()


def test_a_database_that_is_away_is_said_and_not_tried_again() -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    with pytest.raises(DBAPIError) as raised:
        db.transact(lambda session: driver(session).execute("select 1"))
    assert sqlstate(raised.value) is None
    db.dispose()


def test_a_database_is_made_once(database_url: str) -> None:
    for _ in range(2):
        ensure_database(database_url, 'odd "name"')
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier('odd "name"')))
