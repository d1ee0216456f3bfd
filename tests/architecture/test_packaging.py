"""Three very common names, packaged: nobody else's, complete in the wheel, pure from the wheel."""

import ast
import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"app", "ledger", "methodologies"}
DATA = (".toml", ".csv", ".lock", ".json", ".sql", ".typed", ".html")


def test_nobody_else_owns_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {owner for name in OURS for owner in owners.get(name, [])} <= {"tanpu"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel without network, and unpack it as an installer would."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed beside this interpreter")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("tanpu-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(out / "site")
    return out / "site"


def test_the_wheel_has_our_three_packages_and_nothing_else(installed: Path) -> None:
    assert {p.name for p in installed.iterdir() if p.suffix != ".dist-info"} == OURS


def test_the_wheel_has_every_data_file_and_the_typing_marks(installed: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *OURS],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    missing = [f for f in listed if f.endswith(DATA) and not (installed / f).exists()]
    assert not missing
    assert all((installed / package / "py.typed").exists() for package in OURS)


def test_the_wheel_names_its_command_and_its_licence(installed: Path) -> None:
    (info,) = installed.glob("*.dist-info")
    assert "tanpu = app.cli:main" in (info / "entry_points.txt").read_text()
    metadata = (info / "METADATA").read_text(encoding="utf-8")
    assert "License-Expression: Apache-2.0" in metadata
    assert "Private :: Do Not Upload" in metadata


@pytest.mark.parametrize(("package", "libraries"), [("ledger", False), ("methodologies", True)])
def test_a_pure_package_runs_from_the_wheel_alone(
    installed: Path, package: str, *, libraries: bool
) -> None:
    """``-I -S``: no environment, no site-packages; methodologies then gets pint's folder added."""
    paths = [str(installed), *([sysconfig.get_path("purelib")] if libraries else [])]
    code = f"import sys; sys.path[:0] = {paths!r}; import {package}; print({package}.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()) == installed / package / "__init__.py"


def test_the_strangers_verifier_imports_the_standard_library_only() -> None:
    path = ROOT / "ledger/verify_receipt.py"
    if not path.exists():
        pytest.skip("ledger/verify_receipt.py is not written yet")
    asked: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            asked |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            asked.add((node.module or "").partition(".")[0])
    assert asked <= sys.stdlib_module_names
