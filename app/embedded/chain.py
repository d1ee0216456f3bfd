"""The embedded chain 内嵌链: anvil from npm, mining at once, its state in the data directory.

For development and demonstration; anyone who can open its port can use its well-known keys, hence
the loopback address. Anvil rewrites its state file in place every few seconds, so `kill -9` can
leave half a file: `keep` sets whole ones aside, and a start that finds half a file takes the last
whole one. Blocks lost that way are sent again by the outbox.
"""

import http.client
import json
import platform
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import Self

from app.embedded.child import Child, Order, stop_leftover
from app.embedded.errors import BinaryMissing
from app.embedded.home import prepare

CHAIN_ID = 31337
_HOST = "127.0.0.1"
_STATE_INTERVAL_S = 5
_START_S = 30.0
_POLL_S = 0.01
_PORT_TRIES = 5
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Chain:
    """One node for one home, started and stopped by this process."""

    name = "chain"

    def __init__(self, home: Path, program: Path | None = None) -> None:
        """Describe it; nothing happens before `start`."""
        self.home = home.resolve()
        self.log = self.home / "logs" / "chain.log"
        self.state = self.home / "chain" / "state.json"
        self.kept = self.home / "chain" / "state.kept.json"
        self.notice: str | None = None
        self._program = program
        self._record = self.home / "run" / "chain.pid"
        self._remembered = self.home / "chain" / "port"
        self._port = 0
        self._child: Child | None = None

    def start(self) -> Self:
        """Bring it to answering, with the state it had.

        Raises:
            EmbeddedRefused: no program is there, or it ended while starting.
        """
        program = self._program or find_program()
        prepare(self.home)
        stop_leftover(self._record, signal.SIGTERM, grace_s=10.0)
        self._restore()
        self._port = _number_in(self._remembered) or 0
        if not self._port or not _free(self._port):
            self._port = _free_port()
        try:
            self._serve(program)
        except BaseException:
            self.stop()
            raise
        self._remembered.write_text(f"{self._port}\n", encoding="ascii")
        return self

    def stop(self) -> None:
        """Let it write its state, and leave no process."""
        if self._child is not None:
            self._child.stop()
            self._child = None
            self.keep()

    def check(self) -> str | None:
        """Give None while it answers, else what is wrong."""
        if self._child is None or self._child.ended() is not None:
            return "chain is not running"
        return None if _chain_id(self._port) == CHAIN_ID else "chain does not answer"

    def keep(self) -> None:
        """Set the state file aside if it is whole and has changed."""
        if not self.state.exists():
            return
        state = self.state.read_bytes()
        unchanged = self.kept.exists() and self.kept.read_bytes() == state
        if not unchanged and _whole(state):
            staged = self.kept.with_name(self.kept.name + ".new")
            staged.write_bytes(state)
            staged.replace(self.kept)

    @property
    def pid(self) -> int | None:
        """Name the process while it runs."""
        return self._child.pid if self._child is not None else None

    @property
    def url(self) -> str:
        """Give its JSON-RPC address."""
        assert self._port, "an address exists once the node was started"
        return f"http://{_HOST}:{self._port}"

    def _serve(self, program: Path) -> None:
        """Start it on the port it had, or on a free one when that is taken."""
        self._child = Child(self._order(program))
        for _ in range(_PORT_TRIES):
            if self._answered(self._child):
                return
            self._port = _free_port()
            self._child = Child(self._order(program))
        raise self._child.failure("found no free port")

    def _order(self, program: Path) -> Order:
        folder = self.state.parent
        shutil.rmtree(folder / "cache", ignore_errors=True)  # old states, worthless after a restart
        options = {
            "host": _HOST,
            "port": self._port,
            "chain-id": CHAIN_ID,
            "state": self.state,
            "state-interval": _STATE_INTERVAL_S,
            "cache-path": folder / "cache",
        }
        command = (str(program), "--silent", "--no-cors")
        command += tuple(f"--{option}={value}" for option, value in options.items())
        home = (("HOME", str(folder)),)  # it would keep a cache in ~/.foundry
        return Order(self.name, command, self._record, self.log, environment=home)

    def _answered(self, child: Child) -> bool:
        """Wait until it serves; False when somebody else has its port."""
        until = time.monotonic() + _START_S
        while child.ended() is None:
            if _chain_id(self._port) == CHAIN_ID and child.ended() is None:
                return True
            if time.monotonic() > until:
                raise child.failure(f"has not answered within {_START_S:.0f} s")
            time.sleep(_POLL_S)
        if "Address already in use" in child.said():
            return False
        raise child.failure("ended while starting")

    def _restore(self) -> None:
        if not self.state.exists() or _whole(self.state.read_bytes()):
            return
        self.state.replace(self.state.with_name("state.broken.json"))
        if self.kept.exists():
            shutil.copyfile(self.kept, self.state)
        self.notice = (
            "The chain's state was cut off by a kill; the last whole one is used, "
            "and what it lacks is anchored again. 链状态不完整,已恢复上一份完整状态。"
        )


def find_program() -> Path:
    """Find anvil: the binary that npm put into `contracts/`, else one on the path.

    Raises:
        BinaryMissing: there is neither.
    """
    system = platform.system().lower()
    machine = _MACHINES.get(platform.machine(), platform.machine())
    contracts = Path(__file__).parents[2] / "contracts"
    package = contracts / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}"
    program = package / "bin" / "anvil"
    if program.exists():
        return program
    found = shutil.which("anvil")
    if found is not None:
        return Path(found)
    raise BinaryMissing(
        "anvil is not installed: `make setup` (npm ci in contracts/), or set CHAIN_RPC_URL. "
        "缺少内嵌链,请运行 make setup 或设置 CHAIN_RPC_URL。"
    )


def _chain_id(port: int) -> int | None:
    question = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    connection = http.client.HTTPConnection(_HOST, port, timeout=2.0)
    try:
        connection.request("POST", "/", question, {"Content-Type": "application/json"})
        return int(json.loads(connection.getresponse().read())["result"], 16)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _number_in(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _whole(state: bytes) -> bool:
    try:
        json.loads(state)
    except ValueError:
        return False
    return True
