"""Transactions (事务): where they begin, commit, roll back and are tried again; nowhere else.

A command takes its session first and is run by :meth:`Database.transact`. It may run more
than once, so it touches nothing but its session: no network, no clock, no randomness.
"""

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Final, LiteralString, ParamSpec, TypeVar, cast

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlmodel import Session

from app.kernel.lines import CONNECT_S, WAIT_S, Connection, Lines, has_ended

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS_MAX: Final = 4
RETRYABLE: Final = frozenset({"40001", "40P01", "23505"})
"""SQLSTATEs worth another try: serialization failure, deadlock, unique violation.

The last is here because two first tries of one request can both find nothing and both
insert; the loser, run again, finds what the winner wrote and answers with it.
"""
APP_ROLE: Final = "tanpu_app"
"""May insert postings, and can neither change, delete nor truncate them."""


class Database:
    """Runs commands and queries, each in a transaction of its own."""

    def __init__(self, url: str, *, pool_size: int = 8, role: str = APP_ROLE) -> None:
        """Open nothing yet; connections are made on first use and take ``role``."""
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        self.url = parsed.render_as_string(hide_password=False).replace("+psycopg", "", 1)
        self.options = f"-c role={role} -c timezone=UTC -c lock_timeout=10s"
        self.pool_size = pool_size
        self._engine: Engine = create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=WAIT_S,
            connect_args={"options": self.options, "connect_timeout": CONNECT_S},
        )
        event.listen(self._engine, "checkout", _refuse_ended)
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._lines = Lines(self.url, self.options, pool_size)
        reading = f"{self.options} -c default_transaction_read_only=on"
        self._reading_lines = Lines(self.url, reading, pool_size)

    def transact(
        self, command: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``command`` and commit; once this returns, what it wrote is durable.

        Raises:
            DBAPIError: The database is away, or the conflict outlived every try.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with Session(self._engine, expire_on_commit=False) as session, session.begin():
                    return command(session, *args, **kwargs)
            except (DBAPIError, psycopg.Error) as error:
                if is_final(error, attempt):
                    raise
        raise AssertionError

    def read(
        self, query: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run ``query`` over one consistent snapshot, where PostgreSQL refuses every write.

        It ends with COMMIT, since the driver forgets its prepared statements at each ROLLBACK.
        """
        with Session(self._snapshots, expire_on_commit=False) as session, session.begin():
            return query(session, *args, **kwargs)

    def call(self, statement: LiteralString, values: Sequence[object]) -> tuple[Any, ...]:
        """Run a function of the schema that is one whole deed, and give the row that it answers.

        One round trip: no BEGIN, no COMMIT, and nobody asks first whether the connection lives.
        So a server that comes back is met with an error once, and an error may hide that the deed
        was done: it must find itself done when it is asked again.

        Raises:
            psycopg.Error: The database is away, or the conflict outlived every try.
            PoolTimeout: All connections were taken; nothing was done.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with self._lines.line() as line:
                    row = line.execute(statement, values).fetchone()
            except psycopg.Error as error:
                if is_final(error, attempt):
                    raise
            else:
                assert row is not None, statement
                return row
        raise AssertionError

    def look(
        self, query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a query of one statement, where PostgreSQL refuses every write.

        One round trip, as one statement is a snapshot of its own: a third of what :meth:`read`
        costs here, which begins, ends and tells the server its isolation each time.
        """
        try:
            with self._reading_lines.line() as line:
                return query(line, *args, **kwargs)
        except psycopg.OperationalError:
            # The server came back: nothing was done, so once more.
            with self._reading_lines.line() as line:
                return query(line, *args, **kwargs)

    def dispose(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()
        self._lines.dispose()
        self._reading_lines.dispose()


def _refuse_ended(connection: Connection, _record: object, _proxy: object) -> None:
    """Let the pool open another where the server has ended a connection while it was idle."""
    if has_ended(connection):
        raise DisconnectionError


def on_trial(
    session: Session,
    command: Callable[Concatenate[Session, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run ``command`` behind a savepoint and undo it; gives what it came to."""
    with session.begin_nested() as savepoint:
        found = command(session, *args, **kwargs)
        savepoint.rollback()
    return found


def driver(session: Session) -> Connection:
    """Give the psycopg connection under ``session``, inside its transaction."""
    return cast("Connection", session.connection().connection.driver_connection)


def is_final(error: DBAPIError | psycopg.Error, attempt: int) -> bool:
    """Tell whether a deed that failed so, for so many times, is given up."""
    return attempt == ATTEMPTS_MAX or sqlstate(error) not in RETRYABLE


def sqlstate(error: DBAPIError | psycopg.Error) -> str | None:
    """Give the five-character SQLSTATE of an error, if the server sent one."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return getattr(origin, "sqlstate", None)


def ensure_database(owner_url: str, name: str) -> None:
    """Create database ``name`` on the server of ``owner_url`` if it is not there."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", (name,))
        if found.fetchone() is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
