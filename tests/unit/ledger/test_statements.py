"""The stranger's verifier of neutrality: it believes a true proof, and nothing that was changed."""

import copy
import json
import re
import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger import verify_statement
from ledger.accounts import AccountKind, held_of, system
from ledger.certificate import TEXTS, ClaimPart, Purpose, canonical, claim_commit
from ledger.chart import Code
from ledger.receipt import Json
from ledger.verify_certificate import Rejected, mirrored
from ledger.verify_statement import Stated, check_statement
from tests.unit.ledger.rpc import served
from tests.unit.ledger.test_certificates import is_signed
from tests.unit.ledger.test_receipts import lies, places
from tests.unit.ledger.true_receipts import put
from tests.vectors.certificates import KEY, certificate, given
from tests.vectors.city import CONTRACT, UNITS, City, move, owner_of

GATHERING = "gth_01k0000000000000000000000g"
RETIRED = "ret_01k0000000000000000000000d"
SERIALS = "TP1-SZ-METRO-202601-1-1-30-X"
TEXT = {"holder": GATHERING, "beneficiary": "城市跑", "message": f"{GATHERING}; inventory 1"}
CLAIM = given(RETIRED, [ClaimPart(UNITS, 30, SERIALS)], TEXT, Purpose.GATHERING)


def city_of_a_run() -> City:
    """Make a city whose gathering retires thirty units in its second epoch."""
    run = owner_of(8, AccountKind.GATHERING)
    company = owner_of(7, AccountKind.ORGANISATION)
    city = City({who.account.id: who for who in (run, company)})
    held = held_of(run.account)
    legs = (
        (Code.ISSUE_UNIT, system("issuance/unit"), company.account),
        (Code.TRADE, company.account, system("clearing")),
        (Code.TRADE, system("clearing"), run.account),
        (Code.HOLD, run.account, held),
    )
    moved = [
        move(30_000 + number, code, (source, target), (30, UNITS))
        for number, (code, source, target) in enumerate(legs)
    ]
    city.close(moved, bits=1)
    used = move(30_010, Code.RETIRE, (held, system("retired")), (30, UNITS))
    city.close([replace(used, evidence=claim_commit(CLAIM.salts[0], CLAIM.claim))], bits=1)
    return city


CITY = city_of_a_run()
LINES = [json.dumps(line) for line in CITY.header_lines()]
TRUST = mirrored(LINES)


def statement(emitted_mg: int = 29_500_000, **balance: int) -> Json:
    """State that a run of so much is neutral."""
    inventory: Json = {
        "gathering": GATHERING,
        "stage": "actual",
        "categories": {"energy": emitted_mg - 500_000, "waste": 500_000},
        "lines": [
            {"category": "energy", "tier": "measured", "co2e_mg": emitted_mg - 500_000},
            {"category": "waste", "tier": "default", "co2e_mg": 500_000},
        ],
        "total_mg": emitted_mg,
    }
    counted = {
        "inventory_mg": emitted_mg,
        "kept_by_attendees_kg": 1,
        "footprint_mg": emitted_mg + 1_000_000,
        "retired_kg": 30,
        "void_kg": 0,
        "given_kg": 2,
        "covered_mg": 32_000_000,
    }
    return {
        "format": verify_statement.STATEMENT,
        "subject": {"gathering": GATHERING},
        "version": 1,
        "retirements": [{"retirement": RETIRED, "serials": SERIALS, "quantity_kg": 30}],
        "inventory": inventory,
        "inventory_sha256": sha256(canonical(inventory)).hexdigest(),
        "tiers": {"measured": emitted_mg - 500_000, "default": 500_000},
        "balance": counted | balance,
    }


def proof(stated: Json | None = None, covered_mg: int = 32_000_000) -> Json:
    """Prove it, with the operator's word that so much is covered now."""
    said = stated or statement()
    footprint_mg = said["balance"]["footprint_mg"]
    status: Json = {
        "state": "neutral" if covered_mg >= footprint_mg else "reduced",
        "gathering": GATHERING,
        "version": 1,
        "digest": sha256(canonical(said)).hexdigest(),
        "footprint_mg": str(footprint_mg),
        "covered_mg": str(covered_mg),
        "as_of": "2026-03-01T00:00:00Z",
    }
    return {
        "format": verify_statement.FORMAT,
        "status": status | {"signature": KEY.sign(canonical(status)).hex()},
        "statement": said,
        "certificates": [certificate(CITY, CLAIM, TEXTS)],
        "pending": [],
    }


believe: Callable[..., Stated] = partial(check_statement, trust=TRUST, verify=is_signed)


def test_a_true_proof_is_believed() -> None:
    found = believe(proof())
    assert (found.gathering, found.retired_kg, found.lacking_mg) == (GATHERING, 30, 0)
    said = "30500000 mg emitted; 30 kg retired, 2 kg given"
    assert str(found).startswith(f"true: {GATHERING} version 1: {said}")
    assert check_statement(proof(), TRUST) == found, "without a key its signature says nothing"


def test_what_is_lacking_since_comes_first() -> None:
    found = believe(proof(covered_mg=20_000_000))
    assert str(found).startswith("REDUCED: 10500000 mg lacking. true:")


def verdict(document: Any) -> str:  # noqa: ANN401 -- JSON
    try:
        return str(believe(document))
    except Rejected as wrong:
        return str(wrong)


def test_any_change_of_any_field_is_rejected() -> None:
    tried = 0
    whole = proof()
    for at, value in places(whole):
        if value is None or at[0] == "certificates":  # tried in the certificates' own tests
            continue
        for lie in lies(value):
            tried += 1
            said = verdict(put(whole, at, lie))
            assert re.match(r"[1-5] \w+: ", said), (at, value, lie, said)
    assert tried > 100


def edited(change: Callable[[Json], object]) -> Json:
    """A proof whose statement was edited, and whose operator signs that."""
    said = copy.deepcopy(statement())
    change(said)
    inventory = said["inventory"]
    said["inventory_sha256"] = sha256(canonical(inventory)).hexdigest()
    return proof(said)


UNFIT: list[tuple[Callable[[Json], object], str]] = [
    (lambda s: s.update(format="x"), "1 certificates: another statement"),
    (lambda s: s["retirements"].append(s["retirements"][0]), "2 units: as many"),
    (lambda s: s["retirements"][0].update(quantity_kg=30.0), "2 units: no whole number"),
    (lambda s: s["retirements"][0].update(quantity_kg=29), "2 units: another amount"),
    (lambda s: s["inventory"].update(stage="expected"), "3 inventory: only expected"),
    (lambda s: s["inventory"].update(gathering="gth_x"), "3 inventory: of another"),
    (lambda s: s["inventory"]["lines"][0].update(co2e_mg=-1), "3 inventory: a line of no"),
    (lambda s: s["inventory"]["categories"].update(waste=1), "3 inventory: categories"),
    (lambda s: s["tiers"].update(default=1), "3 inventory: tiers"),
    (lambda s: s["inventory"].update(total_mg=1), "3 inventory: lines"),
    (lambda s: s["balance"].update(given_kg=-1), "4 balance: no whole"),
    (lambda s: s["balance"].update(inventory_mg=1), "4 balance: another inventory"),
    (lambda s: s["balance"].update(footprint_mg=1), "4 balance: the footprint"),
    (lambda s: s["balance"].update(retired_kg=31), "4 balance: the retirements"),
    (lambda s: s["balance"].update(covered_mg=1), "4 balance: what was made up for"),
    (
        lambda s: s["balance"].update(void_kg=9, covered_mg=23_000_000),
        "4 balance: not covered",
    ),
]


@pytest.mark.parametrize(("change", "said"), UNFIT)
def test_what_does_not_fit_is_rejected_whoever_signs_it(
    change: Callable[[Json], object], said: str
) -> None:
    assert verdict(edited(change)).startswith(said)


def test_a_certificate_that_is_not_true_names_its_own_step() -> None:
    lie = copy.deepcopy(proof())
    lie["certificates"][0]["claim"]["parts"][0]["amount"] = "31"
    assert re.match(r"1 certificates: [1-5] \w+: ", verdict(lie))


def test_where_it_was_downloaded_its_neighbour_lies_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Path(str(verify_statement.__file__))
    monkeypatch.setitem(sys.modules, "ledger.verify_certificate", None)
    monkeypatch.syspath_prepend(str(source.parent))
    alone = runpy.run_path(str(source), run_name="a_stranger")
    monkeypatch.delitem(sys.modules, "verify_certificate")
    trust = alone["mirrored"](LINES)
    assert alone["check_statement"](proof(), trust).retired_kg == 30


def test_an_unsigned_word_and_a_pending_certificate_are_none() -> None:
    other = proof()
    other["status"]["signature"] = "00" * 64
    assert verdict(other) == "5 status: not signed by this key"
    waiting = proof() | {"pending": ["cert_x"]}
    assert verdict(waiting).startswith("1 certificates: pending")


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    headers, given_to = tmp_path / "headers.jsonl", tmp_path / "proof.json"
    headers.write_text("\n".join(LINES))
    words = [str(given_to), "--headers", str(headers)]
    cases = (
        (proof(), 0, "true: "),
        (proof(covered_mg=1), 4, "REDUCED: "),
        (edited(lambda s: s["tiers"].update(default=1)), 1, "REJECTED at step 3"),
    )
    for document, code, said in cases:
        given_to.write_text(json.dumps(document))
        assert verify_statement.main(words) == code
        assert capsys.readouterr().out.startswith(said)
    given_to.write_text("{")
    assert verify_statement.main(words) == 2
    with pytest.raises(SystemExit):
        verify_statement.main([str(given_to), "--rpc", "http://127.0.0.1:1"])


def test_a_chain_may_be_the_root_of_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof()))
    with served(CITY, 2) as url:
        words = [str(file), "--rpc", url, "--contract", CONTRACT]
        assert verify_statement.main(words) == 0
    monkeypatch.setattr(
        sys, "argv", ["verify_statement.py", str(tmp_path / "none"), "--headers", "x"]
    )
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(verify_statement.__file__), run_name="__main__")
    assert left.value.code == 2
