"""Transactions (事务): where they begin, commit, roll back and are tried again; nowhere else.

A command takes its session first and is run by :meth:`Database.transact`. It may run more
than once, so it touches nothing but its session: no network, no clock, no randomness.
"""

import select
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Final, LiteralString, ParamSpec, TypeVar, cast

import psycopg
from psycopg import sql
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

P = ParamSpec("P")
R = TypeVar("R")
Connection = psycopg.Connection[tuple[Any, ...]]
"""The driver's connection, for COPY and set-based statements."""

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
        self._options = f"-c role={role} -c timezone=UTC -c lock_timeout=10s"
        self._engine: Engine = create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=2,
            connect_args={"options": self._options, "connect_timeout": 5},
        )
        event.listen(self._engine, "checkout", _refuse_ended)
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._lines = QueuePool(
            cast("Any", self._line),
            pool_size=pool_size,
            max_overflow=pool_size,
            timeout=2,
            reset_on_return=None,
        )

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
                if attempt == ATTEMPTS_MAX or sqlstate(error) not in RETRYABLE:
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
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return self._call(statement, values)
            except psycopg.Error as error:
                if attempt == ATTEMPTS_MAX or sqlstate(error) not in RETRYABLE:
                    raise
        raise AssertionError

    def _line(self) -> Connection:
        return psycopg.connect(
            self.url,
            autocommit=True,
            prepare_threshold=0,
            options=self._options,
            connect_timeout=5,
        )

    def _call(self, statement: LiteralString, values: Sequence[object]) -> tuple[Any, ...]:
        pool = self._lines
        line = pool.connect()
        connection = cast("Connection", line.driver_connection)
        try:
            row = connection.execute(statement, values).fetchone()
        finally:
            if connection.closed:
                # Whatever ended this one ended the idle ones too.
                line.invalidate()
                pool.dispose()
                if self._lines is pool:
                    self._lines = pool.recreate()
            line.close()
        assert row is not None, statement
        return row

    def dispose(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()
        self._lines.dispose()


def _refuse_ended(connection: Connection, _record: object, _proxy: object) -> None:
    """Let the pool open another where the server has ended a connection while it was idle.

    An idle connection has nothing to say: what waits to be read is its end. That costs a system
    call, where asking the server would cost each request a round trip.
    """
    if connection.closed:
        raise DisconnectionError
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if socket.poll(0):
        raise DisconnectionError


def driver(session: Session) -> Connection:
    """Give the psycopg connection under ``session``, inside its transaction."""
    return cast("Connection", session.connection().connection.driver_connection)


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
