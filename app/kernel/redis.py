"""Redis behind a breaker (缓存与断路器): quick or not at all.

Redis may hang, vanish or be emptied at any moment, and no answer may be wrong for it: callers
take :class:`RedisAway` for an answer and go on without. A call waits ``WAIT_S`` to connect and as
long for a reply, and is never tried again; after one failure nobody asks for ``PAUSE_S``, then
one caller tries. So a Redis that hangs adds at most twice ``WAIT_S`` to a request, once.
"""

import time
from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

if TYPE_CHECKING:
    from redis import Redis as Client

R = TypeVar("R")

WAIT_S: Final = 0.1
PAUSE_S: Final = 2.0

log = structlog.get_logger()


class RedisAway(Exception):  # noqa: N818 -- names a state, as refusals do
    """Redis did not answer in time, or has just not answered somebody else."""


class Redis:
    """One client and one breaker for a process; safe to share among threads."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Connect to nothing yet; ``clock`` tells seconds that only grow."""
        self._url, self._clock = url, clock
        self._lock = Lock()
        self._is_away = False
        self._alone_until = 0.0

    def __repr__(self) -> str:
        """Show no address: it may hold a password."""
        return "Redis()"

    def ask(self, question: "Callable[[Client], R]") -> R:
        """Give what ``question`` makes of the client; one command, or one pipeline.

        Raises:
            RedisAway: It hangs, refuses, or is being left alone after a failure.
        """
        import redis  # noqa: PLC0415 -- it loads its asynchronous half, a third of a second

        self._pass()
        try:
            answer = question(self._client)
        except redis.RedisError as error:
            self._away(type(error).__name__)
            raise RedisAway from error
        self._back()
        return answer

    def close(self) -> None:
        """Close the pooled connections; a later question opens others."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> "Client":
        import redis  # noqa: PLC0415 -- likewise
        from redis.backoff import NoBackoff  # noqa: PLC0415 -- likewise
        from redis.retry import Retry  # noqa: PLC0415 -- likewise

        patience: dict[str, Any] = {
            "socket_timeout": WAIT_S,
            "socket_connect_timeout": WAIT_S,
            "retry": Retry(NoBackoff(), 0),
            # Two greetings fewer on each new connection, and the return types that we test.
            "protocol": 2,
            "driver_info": None,
        }
        return redis.Redis.from_url(self._url, **patience)

    def _pass(self) -> None:
        """Let everybody through while it answers, and one at a time once a pause is over."""
        with self._lock:
            if not self._is_away:
                return
            if self._clock() < self._alone_until:
                raise RedisAway
            self._alone_until = self._clock() + PAUSE_S

    def _away(self, kind: str) -> None:
        with self._lock:
            is_news, self._is_away = not self._is_away, True
            self._alone_until = self._clock() + PAUSE_S
        if is_news:
            log.warning("redis away", kind=kind)

    def _back(self) -> None:
        with self._lock:
            is_news, self._is_away = self._is_away, False
        if is_news:
            log.info("redis back")
