"""The pure packages stay pure: run where nothing else can be imported, and read as syntax."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORLDLY = {"os", "socket", "random", "secrets", "time", "logging", "subprocess", "threading"}
ALLOWED = {"ledger": set[str](), "methodologies": {"pint"}}
"""What a pure package may import beside the standard library."""

# Runs in an interpreter of its own. Imports of other packages' own files are theirs: pint may use
# whatever it likes, so only requests made by the pure package are refused.
PROBE = """
import builtins, importlib, json, pkgutil, sys
root, package, allowed = sys.argv[1], sys.argv[2], set(json.loads(sys.argv[3]))
sys.path.insert(0, root)
original, refused = builtins.__import__, []

def strict(name, globals=None, locals=None, fromlist=(), level=0):
    asker = (globals or {}).get("__name__", "").partition(".")[0]
    top = name.partition(".")[0]
    known = top == package or top in sys.stdlib_module_names or top in allowed
    if asker == package and level == 0 and not known:
        refused.append(name)
        raise ImportError(f"{package} may not import {name}")
    return original(name, globals, locals, fromlist, level)

builtins.__import__ = strict
top = importlib.import_module(package)
for found in pkgutil.walk_packages(top.__path__, package + "."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
others = {"app", "ledger", "methodologies"} - {package}
print(json.dumps({"refused": refused, "others": sorted(others & set(sys.modules))}))
"""


def probe(root: Path, package: str) -> subprocess.CompletedProcess[str]:
    """Import every module of ``package`` under an importer that refuses all else."""
    return subprocess.run(
        [sys.executable, "-c", PROBE, str(root), package, json.dumps(sorted(ALLOWED[package]))],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )


def worldly_imports(root: Path, package: str) -> list[str]:
    """List the imports of the outside world in the source of ``package``."""
    found: list[str] = []
    for path in sorted((root / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [f"{path.name}: {name}" for name in names if name.split(".")[0] in WORLDLY]
    return found


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_with_nothing_but_the_standard_library(package: str) -> None:
    done = probe(ROOT, package)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"refused": [], "others": []}


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_asks_nothing_of_the_world(package: str) -> None:
    assert not worldly_imports(ROOT, package)


@pytest.mark.parametrize("line", ["import sqlalchemy", "from app.kernel import db", "import pint"])
def test_a_foreign_import_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger/__init__.py").write_text(f"{line}\n")
    done = probe(tmp_path, "ledger")
    assert done.returncode != 0
    assert "ledger may not import" in done.stderr


def test_a_worldly_import_is_found(tmp_path: Path) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger/a.py").write_text(
        "def f():\n    from os.path import join\n    import time\n"
    )
    assert worldly_imports(tmp_path, "ledger") == ["a.py: os.path", "a.py: time"]
