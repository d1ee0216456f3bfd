"""One city for the commands (命令行测试): servers in this process, commands in it as well.

A command runs as ``tanpu`` does, through ``main``: same arguments, output and exit codes, without
a second of start each. A few tests start real processes, which find the same city by its home.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.embedded.runtime import Addresses, Runtime
from app.kernel.settings import Settings


@dataclass(frozen=True)
class Home:
    """A running city's folder and addresses."""

    path: Path
    addresses: Addresses


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Read the one JSON document of the answer."""
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Start the three servers of a home, once."""
    path = tmp_path_factory.mktemp("city") / "home"
    with Runtime(path, tune="test") as runtime:
        yield Home(path, runtime.addresses)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Configure nothing."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    return monkeypatch


@pytest.fixture
def run(bare: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command with no city at hand."""

    def command(*words: object) -> Said:
        bare.setattr(sys, "argv", ["tanpu", *map(str, words)])
        capfd.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return command


@pytest.fixture
def city(run: Run, home: Home, bare: pytest.MonkeyPatch) -> Run:
    """Run a command in the city."""
    bare.setenv("TANPU_HOME", str(home.path))
    for name, value in asdict(home.addresses).items():
        bare.setenv(name.upper(), value)
    return run


@pytest.fixture
def home_keys(home: Home) -> Path:
    """Where the city's key files are."""
    return home.path / "keys"
