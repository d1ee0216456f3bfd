"""Each gate, seen to fail once on purpose (门禁自证): a gate that cannot fail guards nothing.

A bad sample is laid out in a folder of its own under the project's own configuration, all gates
start at once, and each must stop with the finding that it is there for. The import contracts and
tidy have their samples in files of their own beside this one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CONFIGURATION = ("pyproject.toml", ".importlinter", "sgconfig.yml", ".codespellrc", "uv.lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A command, the file that it must refuse, and a word of its finding."""

    command: tuple[str, ...]
    path: str
    text: str
    finding: str


DOCUMENTED = '"""A sample (样本)."""\n\n'
PROJECT = '[project]\nname = "sample"\nversion = "0"\ndependencies = ["pint"]\n'
GATES = {
    "ruff format": Gate(
        command=("ruff", "format", "--check", "app"),
        path="app/sample.py",
        text=f"{DOCUMENTED}x = {{'a':1}}\n",
        finding="app/sample.py:3",
    ),
    "ruff check": Gate(
        command=("ruff", "check", "app"),
        path="app/sample.py",
        text=f"{DOCUMENTED}from unittest.mock import Mock\n\nprint(Mock)\n",
        finding="TID251",
    ),
    "basedpyright": Gate(
        command=("basedpyright", "app/sample.py"),
        path="app/sample.py",
        text=f'{DOCUMENTED}grams: int = "many"\n',
        finding="reportAssignmentType",
    ),
    "ast-grep scan": Gate(
        command=("ast-grep", "scan", "--error=unused-suppression"),
        path="app/sample.py",
        text=f"{DOCUMENTED}def f(session):\n    session.commit()\n",
        finding="error[one-commit]",
    ),
    "ast-grep suppression": Gate(
        command=("ast-grep", "scan", "--error=unused-suppression"),
        path="app/sample.py",
        text=f"{DOCUMENTED}x = 1  # ast-grep-ignore: one-commit\n",
        finding="error[unused-suppression]",
    ),
    "ast-grep test": Gate(
        command=("ast-grep", "test"),
        path="rules/tests/one-commit-test.yml",
        text="id: one-commit\nvalid:\n  - session.commit()\n",
        finding="Noisy",
    ),
    "deptry missing": Gate(
        command=("deptry", "--no-ansi", "."),
        path="app/sample.py",
        text=f"{DOCUMENTED}import numpy\nimport pint\n",
        finding="DEP001 'numpy'",
    ),
    "deptry unused": Gate(
        command=("deptry", "--no-ansi", "."),
        path="pyproject.toml",
        text=PROJECT,
        finding="DEP002 'pint'",
    ),
    "codespell": Gate(
        command=("codespell", "docs"),
        path="docs/sample.md",
        text=f"# The {'rec'}ieved batch\n",
        finding="==> received",
    ),
    "uv lock": Gate(
        command=("uv", "lock", "--check", "--offline"),
        path="pyproject.toml",
        text=PROJECT.replace('"pint"', ""),
        finding="needs to be updated",
    ),
    "documents": Gate(
        command=("python", "docs/generate.py", "--check"),
        path="docs/errors.md",
        text="# Error codes\n",
        finding="docs/errors.md: differs",
    ),
}
SETTINGS = '"""The configuration (配置)."""\n\n\nclass Settings:\n    """None."""\n'


def lay_out(folder: Path, gate: Gate) -> None:
    """Copy what configures the gates, then put the bad file in."""
    for name in CONFIGURATION:
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "rules", folder / "rules")
    for name in ("app/kernel", "docs"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "docs/generate.py", folder / "docs")
    (folder / "app/kernel/settings.py").write_text(SETTINGS, encoding="utf-8")
    (folder / gate.path).write_text(gate.text, encoding="utf-8")


def tool(name: str) -> str | None:
    """Find a gate's program: beside this interpreter, or where ``make`` puts uv."""
    homes = (BIN, ROOT / ".tools/uv/bin")
    return shutil.which(name, path=os.pathsep.join([*map(str, homes), os.environ["PATH"]]))


def start(program: str, gate: Gate, folder: Path) -> subprocess.Popen[str]:
    """Run one gate over its sample."""
    return subprocess.Popen(
        [program, *gate.command[1:]],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, subprocess.Popen[str] | None]]:
    """Start every gate at once: together they wait for the slowest, not for the sum."""
    started: dict[str, subprocess.Popen[str] | None] = {}
    for name, gate in GATES.items():
        folder = tmp_path_factory.mktemp(name.replace(" ", "-"))
        lay_out(folder, gate)
        program = tool(gate.command[0])
        started[name] = None if program is None else start(program, gate, folder)
    yield started
    for run in filter(None, started.values()):
        with run:
            run.kill()


@pytest.mark.parametrize("name", GATES)
def test_refuses(name: str, runs: dict[str, subprocess.Popen[str] | None]) -> None:
    run = runs[name]
    if run is None:
        pytest.skip(f"{GATES[name].command[0]} is not installed beside this interpreter")
    output, _ = run.communicate(timeout=120)
    assert GATES[name].finding in output, output
    assert run.returncode != 0
