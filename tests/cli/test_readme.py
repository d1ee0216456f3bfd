"""README's walk through a city works as it is written, line by line, in a city of its own."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from app.embedded.runtime import Runtime
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def walk() -> list[list[str]]:
    """The commands below "Try it", as words, without the program's name."""
    found = re.search(r"^## Try it .*?^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found, "README has no walk"
    lines = [shlex.split(line) for line in found[1].splitlines()]
    assert lines[0] == ["export", "PATH=$PWD/.venv/bin:$PATH"]
    assert all(words[0] == "tanpu" for words in lines[1:])
    return [words[1:] for words in lines[1:]]


@pytest.fixture
def checkout(tmp_path: Path, bare: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder that looks like the repository's, with a city of its own running in it."""
    (tmp_path / "methodologies").symlink_to(ROOT / "methodologies")
    bare.chdir(tmp_path)
    with Runtime(tmp_path / ".tanpu", tune="test") as runtime:
        for name, value in asdict(runtime.addresses).items():
            bare.setenv(name.upper(), value)
        yield


@pytest.mark.usefixtures("checkout")
def test_every_command_of_the_walk_succeeds_in_its_order(run: Run) -> None:
    commands = walk()
    assert len(commands) > 8
    for words in commands:
        said = run(*words)
        assert said.code == 0, (words, said)


def test_every_exit_code_that_is_named_is_one_of_ours() -> None:
    named = re.search(r"Exit codes: (.*?)\.\n", README, re.DOTALL)
    assert named
    assert re.findall(r"\b\d\b", named[1]) == ["0", "1", "2", "3", "4"]
