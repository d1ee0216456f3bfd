"""Bandit (静态安全检查): each finding from medium up is explained where it stands.

Bandit and ruff number their rules alike (B608 is S608), so one comment with its reason serves both;
where ruff finds nothing the comment begins with `bandit:`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REASON = re.compile(r"# (noqa|bandit): (?P<codes>[A-Z0-9, ]+?) -- \S")


def findings(*paths: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", "-ll", "-f", "json", *map(str, paths)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert not report["errors"], report["errors"]
    return report["results"]


def unexplained(found: list[dict[str, Any]]) -> list[str]:
    left: list[str] = []
    for each in found:
        lines = Path(each["filename"]).read_text(encoding="utf-8").splitlines()
        told = " ".join(lines[min(each["line_range"]) - 1 : max(each["line_range"])])
        codes = " ".join(match["codes"] for match in REASON.finditer(told))
        if f"S{each['test_id'][1:]}" not in codes.replace(",", " ").split():
            left.append(
                f"{each['filename']}:{each['line_number']} {each['test_id']} {each['issue_text']}"
            )
    return left


def test_every_finding_is_explained() -> None:
    found = findings(ROOT / "app", ROOT / "ledger", ROOT / "methodologies")
    assert found, "what is explained is found"
    assert unexplained(found) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("subprocess.run('ls ' + name, shell=True)", 1),
        ("exec(text)  # noqa: S102", 1),
        ("exec(text)  # noqa: S102 -- written by us", 0),
        ("query = 'select * from t where a = ' + name", 1),
    ],
)
def test_a_hole_without_a_reason_is_named(tmp_path: Path, line: str, expected: int) -> None:
    (tmp_path / "hole.py").write_text(f"import subprocess\n\n\ndef f(name, text):\n    {line}\n")
    assert len(unexplained(findings(tmp_path))) == expected
