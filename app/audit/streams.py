"""Streams of rows (行流): server-side cursors, so that memory stays flat over any table."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Final, TypeVar

from psycopg.rows import args_row

from app.kernel.db import Connection

T = TypeVar("T")

ROWS_PER_READ: Final = 10_000
_NUMBERS = count()


def stream(
    connection: Connection, make: Callable[..., T], statement: str, *values: object
) -> Iterator[T]:
    """Give what ``make`` makes of each row; several streams may be open in one transaction."""
    with connection.cursor(
        name=f"audit_{next(_NUMBERS)}", binary=True, row_factory=args_row(make)
    ) as cursor:
        cursor.itersize = ROWS_PER_READ
        cursor.execute(statement.encode(), values or None)
        yield from cursor


def prepare(connection: Connection) -> None:
    """Plan for reading whole tables to their end, whatever the statistics say; ours alone."""
    connection.execute("set local search_path = public, pg_temp")
    connection.execute("set local cursor_tuple_fraction = 1")
    connection.execute("set local enable_nestloop = off")
    connection.execute("set local jit = off")
