"""A home of its own for each test, processes that own one, and a look at who is still there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OWNER = Path(__file__).with_name("owner.py")


class Owner:
    """One started `owner.py`."""

    def __init__(self, home: Path, uid: int | None = None) -> None:
        words = [sys.executable, str(OWNER), str(home), *([] if uid is None else [str(uid)])]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=None, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(60)
            self.process.stdout.close()
        assert line, "the owner ended without a word"
        self.said: dict[str, Any] = json.loads(line)

    @property
    def database_url(self) -> str:
        return str(self.said["addresses"]["database_url"])

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)


def processes_of(home: Path) -> list[int]:
    """List every process that mentions the home on its command line or works inside of it."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            inside = str((entry / "cwd").readlink()).startswith(str(home))
        except OSError:
            continue
        if words and (os.fsencode(home) in words or inside):
            found.append(int(entry.name))
    return found


def none_left(home: Path, patience_s: float = 20.0) -> bool:
    until = time.monotonic() + patience_s
    while processes_of(home) and time.monotonic() < until:
        time.sleep(0.02)
    return not processes_of(home)


def kill_everything(home: Path) -> int:
    """Kill -9 every process of the home at once, and give their number."""
    victims = processes_of(home)
    for pid in victims:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(victims)


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a folder that is not below pytest's own closed one, so that any user may be given it."""
    place = Path(tempfile.mkdtemp(prefix="tanpu-test-"))
    yield place
    kill_everything(place)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def own(home: Path) -> Iterator[Callable[..., Owner]]:
    """Start owners that are gone, children included, when the test ends."""
    owners: list[Owner] = []

    def start(place: Path = home, uid: int | None = None) -> Owner:
        owners.append(Owner(place, uid))
        return owners[-1]

    yield start
    for owner in owners:
        owner.process.kill()
        owner.process.wait()
        assert owner.process.stdout is not None
        owner.process.stdout.close()
