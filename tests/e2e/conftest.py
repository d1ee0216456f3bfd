"""A city started by its command (起停一座城), and what is left of it afterwards."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
import pytest

from tests.e2e.processes import TANPU, Process, alive, environment, gone, kill_all, tree_of


@dataclass
class City:
    """A running ``tanpu up``."""

    home: Path
    process: subprocess.Popen[bytes]
    begun: float
    said: Path
    url: str = ""
    tree: frozenset[Process] = frozenset()

    def wait_until_it_serves(self, within_s: float) -> float:
        """Wait for /health, and give the seconds since the start."""
        until = self.begun + within_s
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said.read_text()
            found = re.search(r"health\s+(http://127\.0\.0\.1:\d+)/health", self.said.read_text())
            if found and self._healthy(found[1]):
                self.url = found[1]
                self.tree = frozenset(tree_of(self.process.pid))
                return time.monotonic() - self.begun
            time.sleep(0.02)
        raise AssertionError(f"not serving within {within_s} s: {self.said.read_text()}")

    def get(self, path: str) -> bytes:
        """Fetch a page."""
        with urlopen(self.url + path, timeout=10) as answer:
            return answer.read()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the embedded database."""
        addresses = json.loads((self.home / "run" / "addresses.json").read_text())
        with psycopg.connect(addresses["database_url"]) as connection:
            return connection.execute(query.encode()).fetchall()

    def end(self, how: signal.Signals) -> int:
        """Ask it to stop, wait until nothing of its tree is left, and give the exit code."""
        assert len(self.tree) >= 5, self.tree
        self.process.send_signal(how)
        code = self.process.wait(60)
        assert gone(set(self.tree)), [_words(one) for one in alive(set(self.tree))]
        return code

    @staticmethod
    def _healthy(url: str) -> bool:
        try:
            with urlopen(f"{url}/health", timeout=5) as answer:
                return json.load(answer) == {"status": "ok"}
        except (URLError, TimeoutError):
            return False


class Starter:
    """Starts cities in one home, and leaves none behind."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[City] = []

    def up(self, *words: str) -> City:
        """Start ``tanpu up``, in a session of its own as a terminal does."""
        said = self.home.parent / f"said-{len(self.started)}.txt"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [str(TANPU), "up", "--port", "0", *words],
                env=environment(self.home),
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.started.append(City(self.home, process, time.monotonic(), said))
        return self.started[-1]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path / "home")
    yield starter
    for city in starter.started:
        kill_all(set(city.tree) | tree_of(city.process.pid))
        city.process.wait()


def _words(process: Process) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
