"""A rehearsal (排练): a database on which whole requests run and leave nothing behind."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Concatenate, LiteralString, ParamSpec, TypeVar, cast

from sqlalchemy import Engine, text

from app.kernel.db import Connection, Database

P = ParamSpec("P")
R = TypeVar("R")


class Rehearsal(Database):
    """Serves one request at a time, and rolls back all that it did."""

    def __init__(self, url: str) -> None:
        """Open the one connection that it has."""
        super().__init__(url, pool_size=1)
        self._pool, self._connection = self._engine, self._engine.connect()

    @contextmanager
    def undone(self) -> Generator[None]:
        """Let each ``transact`` within see what those before it wrote, and keep nothing after."""
        with self._connection.begin() as work:
            self._connection.begin_nested()
            # Sessions over a connection within a savepoint keep to savepoints of their own.
            self._engine = self._snapshots = cast("Engine", self._connection)
            yield
            self._connection.execute(text("set constraints all immediate"))
            work.rollback()

    def call(self, statement: LiteralString, values: Sequence[object]) -> tuple[Any, ...]:
        """Run the one statement behind a savepoint, for it is a transaction of its own."""
        with self._connection.begin_nested():
            row = self._line.execute(statement, values).fetchone()
        assert row is not None, statement
        return row

    def look(
        self, query: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Let it see what those before it wrote."""
        with self._connection.begin_nested():
            return query(self._line, *args, **kwargs)

    @property
    def _line(self) -> Connection:
        return cast("Connection", self._connection.connection.driver_connection)

    def dispose(self) -> None:
        """Close it."""
        self._connection.close()
        self._pool.dispose()
