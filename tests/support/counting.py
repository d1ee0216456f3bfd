"""Statements, counted on the connection (语句计数)."""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from sqlmodel import Session

from app.kernel.db import Database, driver

R = TypeVar("R")


def statements_of(db: Database, query: Callable[[Session], R]) -> tuple[R, list[str]]:
    """Run a query, and give what it answered with every statement that the driver sent."""
    sent: list[str] = []

    class Counting(psycopg.Cursor[Any]):
        """A cursor that writes down what it is asked to run."""

        def execute(self, query: Any, *given: Any, **more: Any) -> "Counting":  # noqa: ANN401 -- as the driver has it
            sent.append(str(query))
            return super().execute(query, *given, **more)

    def counted(session: Session) -> R:
        connection = driver(session)
        before, connection.cursor_factory = connection.cursor_factory, Counting
        try:
            return query(session)
        finally:
            connection.cursor_factory = before

    return db.read(counted), sent
