"""Each import contract, kept by a small clean city and broken once on purpose."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = {
    "ledger/__init__.py": "",
    "ledger/posting.py": "from decimal import Decimal",
    "methodologies/__init__.py": "",
    "app/__init__.py": "",
    "app/cli/__init__.py": "from app.activities import record",
    "app/activities/__init__.py": "from app.activities.commands import record",
    "app/activities/commands.py": "from app.activities import rules, tables\nrecord = 1",
    "app/activities/rules.py": "from ledger import posting",
    "app/activities/tables.py": "",
    "app/citizens/__init__.py": "from app.citizens import tables",
    "app/citizens/tables.py": "",
    "app/registry/__init__.py": "",
    "app/registry/conservation_rules.py": "",
    "app/registry/passport_rules.py": "",
    "app/registry/recall_rules.py": "",
    "app/books/__init__.py": "",
    "app/kernel/__init__.py": "",
    "app/kernel/clock.py": "",
    "app/kernel/db.py": "import sqlalchemy",
}
BROKEN = {
    "core-and-shell": ("ledger/posting.py", "import methodologies"),
    "pure": ("ledger/__init__.py", "import random"),
    "domains": ("app/books/__init__.py", "import app.activities"),
    "rules": ("app/activities/rules.py", "from app.kernel import clock"),
    "acyclic": ("app/kernel/clock.py", "import app.kernel.db"),
    "own-files": ("app/activities/commands.py", "from app.citizens import tables"),
}
ALSO = {"acyclic": ("app/kernel/db.py", "import app.kernel.clock")}


def city(folder: Path) -> Path:
    """Lay the clean city out under the project's own contracts."""
    shutil.copy(ROOT / ".importlinter", folder)
    for name, text in CLEAN.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


def contracts() -> dict[str, str]:
    """Give the name of each contract by its id."""
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    return dict(re.findall(r"contract:([\w-]+)\]\nname = (.+)", text))


def start(folder: Path) -> subprocess.Popen[str]:
    """Run lint-imports where only the sample city can be found."""
    return subprocess.Popen(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def broken(run: subprocess.Popen[str]) -> tuple[set[str], int]:
    """Read which contracts are broken, and the exit code."""
    output, _ = run.communicate(timeout=60)
    assert "Contracts: " in output, output
    return {key for key, name in contracts().items() if f"{name} BROKEN" in output}, run.returncode


def test_there_are_six_contracts_and_each_is_broken_here() -> None:
    assert set(BROKEN) == set(contracts())


def test_the_clean_city_keeps_them_all(tmp_path: Path) -> None:
    assert broken(start(city(tmp_path))) == (set(), 0)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Start all six at once: two cores then wait for three runs, not for six."""
    started: dict[str, subprocess.Popen[str]] = {}
    for key, (path, line) in BROKEN.items():
        folder = city(tmp_path_factory.mktemp(key))
        for name, added in ((path, line), *([ALSO[key]] if key in ALSO else [])):
            with (folder / name).open("a") as file:
                file.write(f"{added}\n")
        started[key] = start(folder)
    yield started
    for run in started.values():
        with run:
            run.kill()


@pytest.mark.parametrize("contract", BROKEN)
def test_breaking_one_is_reported(contract: str, runs: dict[str, subprocess.Popen[str]]) -> None:
    assert broken(runs[contract]) == ({contract}, 1)


def test_a_folder_without_a_layer_is_reported(tmp_path: Path) -> None:
    (city(tmp_path) / "app/weather").mkdir()
    (tmp_path / "app/weather/__init__.py").write_text("\n")
    assert broken(start(tmp_path)) == ({"domains"}, 1)
