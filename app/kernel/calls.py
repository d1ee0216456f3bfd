"""Calls (调用): functions of the schema, awaited on the event loop.

For the deed that a queue of people waits for. A thread that waits for the server has to be woken,
and to win the interpreter back: that costs more than whatever else a redemption does (0041).
"""

from asyncio import Semaphore, timeout
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel.db import ATTEMPTS_MAX, Database, is_final
from app.kernel.lines import CONNECT_S, WAIT_S, has_ended

Cursor = psycopg.AsyncCursor[tuple[Any, ...]]
"""Kept with its connection: what it learnt of a statement serves the next call."""


class Calls:
    """Connections of one event loop to a database, each made when it is first wanted.

    No pool of the driver's, which looks for a server that went away at moments of its own choice,
    ever further apart: a till asks now.
    """

    def __init__(self, db: Database) -> None:
        """Open nothing yet, and never more than ``db`` keeps: waiting is shorter than opening."""
        self._url, self._options = db.url, db.options
        self._free = Semaphore(db.pool_size)
        self._idle: list[Cursor] = []
        self._is_closed = False

    async def call(self, statement: LiteralString, values: Sequence[object]) -> tuple[Any, ...]:
        """Do as :meth:`app.kernel.db.Database.call` does, and hold no thread meanwhile.

        Raises:
            PoolTimeout: All connections were taken for ``WAIT_S``.
            psycopg.Error: The database is away, or the conflict outlived every try.
        """
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                async with self._cursor() as cursor:
                    row = await (await cursor.execute(statement, values)).fetchone()
            except psycopg.Error as error:
                if is_final(error, attempt):
                    raise
            else:
                assert row is not None, statement
                return row
        raise AssertionError

    async def aclose(self) -> None:
        """Close those that are idle, and from now on whatever comes back."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop().connection.close()

    @asynccontextmanager
    async def _cursor(self) -> AsyncGenerator[Cursor]:
        """Lend one that lives; one that is left in the middle of something is lent to nobody."""
        await self._turn()
        lent = self._idle.pop() if self._idle else None
        try:
            if lent is not None and has_ended(lent.connection):
                await lent.connection.close()
                lent = None
            if lent is None:
                lent = await self._opened()
            yield lent
        finally:
            if lent is not None:
                await self._put(lent)
            self._free.release()

    async def _turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with timeout(WAIT_S):
                await self._free.acquire()
        except TimeoutError as error:
            raise PoolTimeout("all connections of the loop are taken") from error

    async def _put(self, lent: Cursor) -> None:
        state = lent.connection.pgconn.transaction_status
        if state == TransactionStatus.IDLE and not self._is_closed:
            self._idle.append(lent)
        else:
            await lent.connection.close()

    async def _opened(self) -> Cursor:
        connection = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            prepare_threshold=0,
            options=self._options,
            connect_timeout=CONNECT_S,
        )
        return connection.cursor(binary=True)
