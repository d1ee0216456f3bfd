"""``tanpu verify certificate`` (查证注销证书): without a city or a network, by its exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.verify import commands
from tests.unit.ledger.test_certificates import GIVEN, LINES, UNITS_FOR_B, WHOLE
from tests.unit.ledger.true_receipts import put

KEY: str = GIVEN["key"]
OTHER = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
"""The public key of RFC 8032's first test."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "headers.jsonl").write_text("\n".join(LINES))
    lie = put(WHOLE, ("status", "as_of"), "2026-02-01T00:00:00Z")
    for name, document in (
        ("units", UNITS_FOR_B),
        ("reduced", WHOLE),
        ("revoked", GIVEN["revoked"]),
        ("lie", lie),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "more", "code", "said"),
    [
        ("units", [], 0, 'true: ret_01k0000000000000000000000c, 30 kg for "B 公司", epoch 2'),
        ("units", ["--status", "revoked.json", "--key", KEY], 4, "REVOKED: 0 of 30 kg left."),
        ("reduced", ["--key", KEY], 4, "REDUCED: 250000 of 950000 mg left."),
        ("reduced", ["--key", OTHER], 1, "REJECTED at step 5 status: not signed by this key"),
        ("lie", ["--key", KEY], 1, "REJECTED at step 5 status: not signed by this key"),
        ("lie", [], 4, "REDUCED: 250000 of 950000 mg left."),
        ("units", ["--key", "AAAA"], 2, ""),
        ("units", ["--key", "A"], 2, ""),
        ("absent", [], 2, "cannot read: "),
    ],
)
def test_it_says_what_it_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, more: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(folder)
    arguments = ["certificate", f"{file}.json", "--headers", "headers.jsonl", *more]
    found = CliRunner().invoke(commands, arguments)
    assert (found.exit_code, found.stdout[: len(said)]) == (code, said)
