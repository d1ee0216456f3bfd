"""From a metro ride to a neutral run, as anybody follows it (闭环走查): by HTTP, then offline."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from tests.e2e.conftest import City

PUBLIC = "/v1/public"
PRICE_FEN = 9_800
KG_BOUGHT = 200


def follow(city: City, folder: Path) -> None:
    """Follow the demo's units from the ride to the budget, trusting the header list alone."""
    (batch,) = json.loads(city.get(f"{PUBLIC}/issue-batches"))["data"]
    lot = json.loads(city.get(f"{PUBLIC}/lots/{batch['lot']}"))
    assert lot["outcome"] == "issued"
    assert lot["error_rate"]["wrong"] == 0
    assert Decimal(lot["error_rate"]["high"]) > 0
    unit = json.loads(city.get(f"{PUBLIC}/issue-batches/{batch['id']}/units/1"))["data"]
    assert unit, "a unit opens to commitments"
    assert all([*row] == ["leaf"] for row in unit)
    assert batch["retired_kg"] > 100
    (used,) = json.loads(city.get(f"{PUBLIC}/retirements"))["data"]
    serial = json.loads(city.get(f"{PUBLIC}/serials/{used['serial']}"))
    assert serial["batch"] == batch["id"]
    assert used["quantity_kg"] == batch["retired_kg"]
    verify(city, folder)
    loop = json.loads(city.get(f"{PUBLIC}/closed-loop"))
    (programme,) = loop["programmes"]
    due = -(-KG_BOUGHT * PRICE_FEN // 1000)
    assert programme["sale_fen"] == due, "what the organiser paid is in the mall's budget"


def verify(city: City, folder: Path) -> None:
    """Verify the statement with the two files that anybody may fetch, in a bare interpreter."""
    said = city.said.read_text().split(f"{PUBLIC}/gatherings/")[1].split()[0]
    proof, headers = folder / "proof.json", folder / "headers.jsonl"
    proof.write_bytes(city.get(f"{PUBLIC}/gatherings/{said}/proof"))
    headers.write_bytes(city.get(f"{PUBLIC}/headers.jsonl"))
    for name in ("verify_certificate.py", "verify_statement.py"):
        (folder / name).write_bytes(city.get(f"{PUBLIC}/verifier/{name}"))
    words = ["verify_statement.py", proof.name, "--headers", headers.name]
    assert run(folder, words) == 0
    changed = json.loads(proof.read_text())
    changed["statement"]["totals"] = {}
    proof.write_text(json.dumps(changed))
    assert run(folder, words) == 1, "a changed statement is not true"


def run(folder: Path, words: list[str]) -> int:
    done = subprocess.run(
        [sys.executable, "-S", "-E", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode
