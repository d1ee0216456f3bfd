"""The runtime 运行时: the servers that a city needs, embedded or given by address.

`Runtime(home).start()` brings up PostgreSQL, Redis and the chain in this order and stops them in
the other; an address given for one replaces that child. One owner a home. Use it from the main
thread.
"""

import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from app.embedded.chain import Chain
from app.embedded.home import Ownership, owner_of, prepare
from app.embedded.logs import LOG_BYTES_MAX, bound
from app.embedded.postgres import Postgres
from app.embedded.redis import Redis
from app.embedded.signals import OrderlyEnd

_UPKEEP_S = 5.0
_ROUNDS_A_KEEP = 12  # a chain's state is read and parsed whole, so once a minute


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three are: all that the rest of the program needs to know."""

    database_url: str
    redis_url: str
    chain_rpc_url: str


@dataclass(frozen=True, slots=True)
class Given:
    """Addresses of servers that somebody else runs; each replaces the embedded one."""

    database_url: str | None = None
    redis_url: str | None = None
    chain_rpc_url: str | None = None


class Runtime:
    """The embedded servers of one home, and the addresses of those that were given."""

    def __init__(
        self,
        home: Path,
        given: Given = Given(),
        *,
        tune: Literal["city", "test"] = "city",
        log_bytes_max: int = LOG_BYTES_MAX,
    ) -> None:
        """Describe it; nothing happens before `start`."""
        self.home = home.resolve()
        self.started_s: dict[str, float] = {}
        self.notices: list[str] = []
        self._postgres = None if given.database_url else Postgres(self.home, tune)
        self._redis = None if given.redis_url else Redis(self.home)
        self._chain = None if given.chain_rpc_url else Chain(self.home)
        self._given = given
        self._log_bytes_max = log_bytes_max
        self._ownership = Ownership(self.home / "run" / "owner.lock")
        self._written = self.home / "run" / "addresses.json"
        self._end = OrderlyEnd()
        self._upkeep_over = threading.Event()
        self._upkeep: threading.Thread | None = None
        self._addresses: Addresses | None = None

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> Self:
        """Bring every embedded server to answering.

        Raises:
            EmbeddedRefused: nothing is left running then.
        """
        prepare(self.home)
        self._ownership.take()
        self._end.begin()
        try:
            self._bound_logs()
            for server in self._servers():
                begun = time.monotonic()
                server.start()
                self.started_s[server.name] = time.monotonic() - begun
            if self._chain is not None and self._chain.notice is not None:
                self.notices.append(self._chain.notice)
            self._addresses = Addresses(
                self._postgres.url if self._postgres else self._given.database_url or "",
                self._redis.url if self._redis else self._given.redis_url or "",
                self._chain.url if self._chain else self._given.chain_rpc_url or "",
            )
            self._written.write_text(json.dumps(asdict(self._addresses)), encoding="utf-8")
            self._upkeep = threading.Thread(target=self._keep_house, name="upkeep", daemon=True)
            self._upkeep.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop in reverse order; harmless when stopped already."""
        self._end.hold()
        try:
            self._upkeep_over.set()
            if self._upkeep is not None:
                self._upkeep.join()
                self._upkeep = None
            for server in reversed(self._servers()):
                server.stop()
            if self._addresses is not None:
                self._written.unlink(missing_ok=True)
                self._addresses = None
        finally:
            self._ownership.release()
            self._end.restore()

    def check(self) -> dict[str, str | None]:
        """Give for each embedded server None while it answers, else what is wrong."""
        return {server.name: server.check() for server in self._servers()}

    @property
    def addresses(self) -> Addresses:
        """Give where the three are."""
        assert self._addresses is not None, "addresses exist once the runtime was started"
        return self._addresses

    def _servers(self) -> list[Postgres | Redis | Chain]:
        return [one for one in (self._postgres, self._redis, self._chain) if one is not None]

    def _keep_house(self) -> None:
        rounds = 0
        while not self._upkeep_over.wait(_UPKEEP_S):
            self._bound_logs()
            if self._chain is not None and rounds % _ROUNDS_A_KEEP == 0:
                self._chain.keep()
            rounds += 1

    def _bound_logs(self) -> None:
        for server in self._servers():
            bound(server.log, self._log_bytes_max)


def running(home: Path) -> Addresses | None:
    """Find the addresses of the runtime that another process runs in this home, if one does."""
    run = home.resolve() / "run"
    if owner_of(run / "owner.lock") in {None, os.getpid()}:
        return None
    try:
        return Addresses(**json.loads((run / "addresses.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
