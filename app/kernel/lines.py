"""Lines (直连): connections on which each statement is a transaction of its own, kept for the next.

For deeds that are one function of the schema and reads that are one statement: no BEGIN, no
COMMIT, no session, and what was prepared stays prepared.
"""

import select
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.pool import QueuePool

Connection = psycopg.Connection[tuple[Any, ...]]
"""The driver's connection, for COPY and set-based statements."""

WAIT_S: Final = 2
CONNECT_S: Final = 5


class Lines:
    """A pool of them, to one database, with one set of options."""

    def __init__(self, url: str, options: str, size: int) -> None:
        """Open nothing yet; as many again as ``size`` are opened when all are taken."""
        self._url, self._options = url, options
        self._pool = QueuePool(
            cast("Any", self._open),
            pool_size=size,
            max_overflow=size,
            timeout=WAIT_S,
            reset_on_return=None,
        )

    @contextmanager
    def line(self) -> Generator[Connection]:
        """Lend one; if it breaks, the idle ones go too, since what ended it ended them.

        One that is left in the middle of something is lent to nobody.

        Raises:
            PoolTimeout: All were taken for ``WAIT_S``.
            psycopg.OperationalError: The server is away, or ended this one while it was idle.
        """
        pool = self._pool
        lent = pool.connect()
        connection = cast("Connection", lent.driver_connection)
        try:
            yield connection
        finally:
            is_broken = connection.closed
            if is_broken or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                lent.invalidate()
            if is_broken:
                pool.dispose()
                if self._pool is pool:
                    self._pool = pool.recreate()
            lent.close()

    def dispose(self) -> None:
        """Close those that are idle."""
        self._pool.dispose()

    def _open(self) -> Connection:
        return psycopg.connect(
            self._url,
            autocommit=True,
            prepare_threshold=0,
            options=self._options,
            connect_timeout=CONNECT_S,
        )


def has_ended(idle: psycopg.BaseConnection[Any]) -> bool:
    """Tell whether the server has ended a connection while it was idle.

    An idle connection has nothing to say: what waits to be read is its end. That costs a system
    call, where asking the server would cost each request a round trip.
    """
    if idle.closed:
        return True
    socket = select.poll()
    socket.register(idle.fileno(), select.POLLIN)
    return bool(socket.poll(0))
