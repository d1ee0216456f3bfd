"""Statements and their plans, seen on the connection (语句与计划)."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import psycopg
from sqlmodel import Session

from app.kernel.db import Database, driver

R = TypeVar("R")


def statements_of(db: Database, query: Callable[[Session], R]) -> tuple[R, list[str]]:
    """Run a query, and give what it answered with every statement that the driver sent."""
    sent: list[str] = []

    class Counting(psycopg.Cursor[Any]):
        """Writes down what it is asked to run."""

        def execute(self, query: Any, *given: Any, **more: Any) -> "Counting":  # noqa: ANN401 -- as the driver has it
            sent.append(str(query))
            super().execute(query, *given, **more)
            return self

    return _with(db, query, Counting), sent


def sequential_scans_of(db: Database, query: Callable[[Session], object]) -> set[str]:
    """Run a query, and name the tables that any of its statements reads from end to end."""
    found: set[str] = set()

    class Explaining(psycopg.Cursor[Any]):
        """Asks for the plan first."""

        def execute(self, query: Any, *given: Any, **more: Any) -> "Explaining":  # noqa: ANN401 -- as the driver has it
            super().execute(f"explain (format json) {query}".encode(), *given, **more)
            for (plan,) in self.fetchall():
                found.update(_scanned(plan[0]["Plan"]))
            super().execute(query, *given, **more)
            return self

    _with(db, query, Explaining)
    return found


def _with(db: Database, query: Callable[[Session], R], cursor: type[psycopg.Cursor[Any]]) -> R:
    def run(session: Session) -> R:
        connection = driver(session)
        before, connection.cursor_factory = connection.cursor_factory, cursor
        try:
            return query(session)
        finally:
            connection.cursor_factory = before

    return db.read(run)


def _scanned(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from _scanned(part)
