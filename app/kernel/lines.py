"""Lines (直连): connections on which each statement is a transaction of its own, kept for the next.

For deeds that are one function of the schema and reads that are one statement: no BEGIN, no
COMMIT, no session, and what was prepared stays prepared. Lending one is a semaphore and a stack: a
pool that also resets, recycles and tells of it took a twentieth of what redeeming costs.
"""

from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import TimeoutError as PoolTimeout

Connection = psycopg.Connection[tuple[Any, ...]]
"""The driver's connection, for COPY and set-based statements."""

IDLE: Final = TransactionStatus.IDLE
WAIT_S: Final = 2
CONNECT_S: Final = 5


class Lines:
    """Those to one database, with one set of options."""

    def __init__(self, url: str, options: str, size: int) -> None:
        """Open nothing yet; ``size`` are kept, and as many again are opened when all are taken."""
        self._url, self._options, self._size = url, options, size
        self._free = BoundedSemaphore(2 * size)
        self._idle: deque[Connection] = deque()

    @contextmanager
    def line(self) -> Generator[Connection]:
        """Lend one; if it breaks, the idle ones go too, since what ended it ended them.

        Raises:
            PoolTimeout: All were taken for ``WAIT_S``.
            psycopg.OperationalError: The server is away, or ended this one while it was idle.
        """
        if not self._free.acquire(timeout=WAIT_S):
            raise PoolTimeout("no line was free in time")
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._put(connection)
        finally:
            self._free.release()

    def dispose(self) -> None:
        """Close those that are idle."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # another thread was faster
                return

    def _take(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _put(self, connection: Connection) -> None:
        if connection.closed:
            self.dispose()
        elif connection.pgconn.transaction_status == IDLE and len(self._idle) < self._size:
            self._idle.append(connection)
        else:  # one too many, or left in the middle of something
            connection.close()

    def _open(self) -> Connection:
        return psycopg.connect(
            self._url,
            autocommit=True,
            prepare_threshold=0,
            options=self._options,
            connect_timeout=CONNECT_S,
        )
