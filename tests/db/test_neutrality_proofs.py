"""The proof of a statement: true for a stranger without a network, and each lie is rejected."""

import copy
import json
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from app.anchoring.publishing import header_lines
from app.certificates import issue_certificates
from app.cli.verify import commands
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.neutrality.proofs import proof_of
from app.neutrality.statements import issue_statement
from app.settlements.statement import is_signed
from ledger import verify_certificate, verify_statement
from ledger.receipt import Json
from ledger.verify_certificate import Rejected, mirrored
from ledger.verify_statement import Stated, check_statement
from tests.db.test_certificates import OFFLINE
from tests.support.anchoring import ORIGIN
from tests.support.gatherings import Marathon
from tests.support.market import KG, Market
from tests.support.registry import Registry

RETIRED_KG = 574
LATER = timedelta(minutes=30)


class Proved:
    """A neutral gathering, whose retirements the chain has."""

    def __init__(self, market: Market) -> None:
        """Retire, close an epoch, certify, state."""
        registry = self.registry = market.registry
        self.race = Marathon(market)
        self.race.retired()
        self.race.locked(issue_statement, at=self.race.at)

        def final(session: Session) -> None:
            driver(session).execute("update retirement set final_at = %s", (registry.at + LATER,))

        registry.worker_db.transact(final)
        registry.at += LATER
        registry.close()
        issue_certificates(
            registry.worker_db, registry.keys, registry.folder, at=registry.at + LATER
        )
        self.proof = json.loads(json.dumps(self.ask()))
        rows = registry.worker_db.read(header_lines)
        self.lines = [json.dumps(row) for row in rows]

    def ask(self) -> Json:
        facts = (self.registry.keys.receipt, ORIGIN, self.race.gathering.id, None)
        return self.registry.db.read(proof_of, *facts, at=self.race.at)

    def checked(self, proof: Json) -> Stated:
        """Check as a stranger does, with the list of headers and the operator's key."""
        public = self.registry.keys.receipt.public_key()
        return check_statement(proof, mirrored(self.lines), partial(is_signed, public))


@pytest.fixture
def proved(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Proved:
    return Proved(Market(Registry(db, worker_db, keys, tmp_path)))


LIES: dict[str, tuple[str, Callable[[Json], Any]]] = {
    "less emitted": ("3", lambda p: p["statement"]["inventory"]["lines"][0].update(co2e_mg=1)),
    "another factor": (
        "3",
        lambda p: p["statement"]["inventory"]["lines"][0]["factor"].update(value="0.1"),
    ),
    "more retired": ("4", lambda p: p["statement"]["balance"].update(retired_kg=9_999)),
    "more given": ("4", lambda p: p["statement"]["balance"].update(given_kg=1)),
    "less kept": ("4", lambda p: p["statement"]["balance"].update(kept_by_attendees_kg=1)),
    "other serials": ("2", lambda p: p["statement"]["retirements"][0].update(serials="TP1-X")),
    "no certificates": ("2", lambda p: p.update(certificates=[])),
    "another gathering": ("2", lambda p: p["statement"]["subject"].update(gathering="gth_x")),
    "another name": ("5", lambda p: p["statement"]["responsible"].update(name_zh="别人")),
    "another boundary": ("5", lambda p: p["statement"].update(boundary="Less.")),
    "another tier": ("3", lambda p: p["statement"]["tiers"].update(measured=0)),
    "of a certificate": (
        "1",
        lambda p: p["certificates"][0]["claim"]["parts"][0].update(amount="9999"),
    ),
    "another time": ("5", lambda p: p["status"].update(as_of="2030-01-01T00:00:00Z")),
    "more covered": ("5", lambda p: p["status"].update(covered_mg="999999999999")),
    "pending": ("1", lambda p: p.update(pending=["cert_x"])),
}


def test_a_stranger_believes_it_and_no_lie(proved: Proved) -> None:
    found = proved.checked(proved.proof)
    assert (found.gathering, found.version) == (proved.race.gathering.public, 1)
    assert (found.footprint_mg, found.retired_kg, found.lacking_mg) == (
        573_700_000,
        RETIRED_KG,
        0,
    )
    for name, (step, lie) in LIES.items():
        told = copy.deepcopy(proved.proof)
        lie(told)
        with pytest.raises(Rejected) as rejected:
            proved.checked(told)
        assert str(rejected.value).startswith(step), name


def test_a_certificate_counts_once(proved: Proved) -> None:
    twice = copy.deepcopy(proved.proof)
    twice["certificates"] *= 2
    twice["statement"]["retirements"] *= 2
    with pytest.raises(Rejected, match="one serial counted twice"):
        proved.checked(twice)


def test_what_is_lacking_since_is_said_first(proved: Proved) -> None:
    proved.race.counted()
    found = proved.checked(json.loads(json.dumps(proved.ask())))
    assert str(found).startswith(f"REDUCED: {2 * 573_700_000 - RETIRED_KG * KG} mg lacking. true:")


def test_two_files_check_it_with_the_network_off(proved: Proved, tmp_path: Path) -> None:
    """Isolated from every library, in a process that may open no socket."""
    home = tmp_path / "stranger"
    home.mkdir()
    for module in (verify_certificate, verify_statement):
        shutil.copy(str(module.__file__), home)
    lie = copy.deepcopy(proved.proof)
    lie["statement"]["balance"]["given_kg"] = 5
    proved.race.counted()
    reduced = proved.ask()
    cases = {"true": proved.proof, "lie": lie, "reduced": reduced, "other": {"format": "x"}}
    (home / "headers.jsonl").write_text("\n".join(proved.lines))
    codes: dict[str, int] = {}
    for name, proof in cases.items():
        (home / f"{name}.json").write_text(json.dumps(proof))
        arguments = [home / f"{name}.json", "--headers", home / "headers.jsonl"]
        program = [home / "verify_statement.py", *arguments]
        isolated = f"import sys; sys.path.insert(0, {str(home)!r})\n{OFFLINE}"
        run = [sys.executable, "-I", "-c", isolated, *map(str, program)]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
        codes[name] = done.returncode
        assert done.stderr == ""
    assert codes == {"true": 0, "lie": 1, "reduced": 4, "other": 1}
    own = proved.registry.keys.receipt.public_key().public_bytes_raw()
    for key, code in ((own, 0), (bytes(32), 1), (b"", 2)):
        told = ["--headers", str(home / "headers.jsonl"), "--key", b64encode(key).decode()]
        found = CliRunner().invoke(commands, ["statement", str(home / "true.json"), *told])
        assert found.exit_code == code, found.output


def test_a_part_is_a_certificate_by_itself(proved: Proved) -> None:
    (certificate,) = proved.proof["certificates"]
    found = verify_certificate.check(certificate, mirrored(proved.lines))
    assert (found.amount, found.beneficiary) == (RETIRED_KG, '"城市马拉松"')
    assert date.fromisoformat(certificate["claim"]["period"].split("/")[0])
