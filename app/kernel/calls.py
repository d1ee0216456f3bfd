"""Calls (调用): functions of the schema, awaited on the event loop.

For the deed that a queue of people waits for. A thread that waits for the server has to be woken,
and to win the interpreter back: that costs more than whatever else a redemption does (0041).
"""

from asyncio import LifoQueue, timeout
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel.db import ATTEMPTS_MAX, Database, is_final
from app.kernel.lines import CONNECT_S, WAIT_S, has_ended

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class Calls:
    """Connections of one event loop to a database, each made when it is first wanted.

    Slots in a queue, and no pool of the driver's: that looks for a server that went away at moments
    of its own choice, ever further apart, and a till asks now.
    """

    def __init__(self, db: Database) -> None:
        """Open nothing yet; as many as ``db`` keeps, and as many again, at the most."""
        self._url, self._options = db.url, db.options
        self._slots: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(2 * db.pool_size):
            self._slots.put_nowait(None)

    async def call(self, statement: LiteralString, values: Sequence[object]) -> tuple[Any, ...]:
        """Do as :meth:`app.kernel.db.Database.call` does, and hold no thread meanwhile.

        Raises:
            PoolTimeout: All connections were taken for ``WAIT_S``.
            psycopg.Error: The database is away, or the conflict outlived every try.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._connection() as connection:
                    row = await (await connection.execute(statement, values)).fetchone()
            except psycopg.Error as error:
                if is_final(error, attempt):
                    raise
            else:
                assert row is not None, statement
                return row
        raise AssertionError

    async def aclose(self) -> None:
        """Close those that are idle."""
        while not self._slots.empty():
            if (idle := self._slots.get_nowait()) is not None:
                await idle.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        """Lend one that lives; one that is left in the middle of something is lent to nobody."""
        kept = self._slots.get_nowait() if not self._slots.empty() else await self._next()
        try:
            if kept is not None and has_ended(kept):
                await kept.close()
                kept = None
            if kept is None:
                kept = await self._opened()
            yield kept
        finally:
            if kept is not None and kept.pgconn.transaction_status != TransactionStatus.IDLE:
                await kept.close()
                kept = None
            self._slots.put_nowait(kept)

    async def _next(self) -> Connection | None:
        try:
            async with timeout(WAIT_S):
                return await self._slots.get()
        except TimeoutError as error:
            raise PoolTimeout("all connections of the loop are taken") from error

    async def _opened(self) -> Connection:
        return await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            prepare_threshold=0,
            options=self._options,
            connect_timeout=CONNECT_S,
        )
