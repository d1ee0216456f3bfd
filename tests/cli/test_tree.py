"""The tree of commands: everything that is documented is there, and explains itself."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli.commands import tree
from tests.cli.conftest import Run

SPINE = """
up
demo
migrate
worker
ingest
methodology list
methodology show
methodology lint
methodology eval
methodology render
epoch close
epoch submit
epoch status
receipt export
verify receipt
verify headers
verify methodology
audit
provider add
provider key
staff add
staff list
staff suspend
staff reset
till open
till redeem
till reverse
keys
simulate
bench ingest
bench epoch
bench proof
bench scale
doctor
"""


def paths(group: TyperGroup, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Go through the commands and groups."""
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, TyperGroup):
            yield from paths(command, (*before, name))


def whole() -> TyperGroup:
    made = get_command(tree())
    assert isinstance(made, TyperGroup)
    return made


EVERY = list(paths(whole()))


@pytest.mark.parametrize("line", SPINE.strip().splitlines())
def test_every_documented_command_is_there(line: str) -> None:
    assert tuple(line.split()) in EVERY


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words, "--help")
    assert said.code == 0, said
    assert "Usage: tanpu " + " ".join(words) in said.out
    assert said.err == ""
    assert any("\u4e00" <= sign <= "\u9fff" for sign in said.out), "in Chinese as well"


def test_the_whole_explains_itself(run: Run) -> None:
    said = run("--help")
    assert said.code == 0
    for name, *rest in EVERY:
        assert rest or name in said.out


@pytest.mark.parametrize(
    "words", [("frob",), ("epoch", "frob"), ("ingest",), ("up", "--port", "65536"), ("up", "x")]
)
def test_a_command_that_is_none_is_wrong_input(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words)
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err


def test_it_refuses_to_run_without_assertions() -> None:
    for words in (["-c", "from app.cli import main; main()"], ["-c", "import app.asgi"]):
        done = subprocess.run(
            [sys.executable, "-O", *words], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("tanpu refuses to run under `python -O`")
