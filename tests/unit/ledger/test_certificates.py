"""The stranger's verifier of certificates: it believes true ones, and nothing that was changed."""

import ast
import copy
import inspect
import json
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from ledger import certificate as written
from ledger import verify_certificate, verify_receipt
from ledger.accounts import SYSTEM_NAMES
from ledger.certificate import TEXTS, UNITS, Purpose, text_commit
from ledger.chart import Code
from ledger.receipt import Json
from ledger.verify_certificate import Rejected, Verdict, check, mirrored
from tests.unit.ledger.rpc import Chain, babbling, served
from tests.unit.ledger.test_receipts import lies, places
from tests.unit.ledger.true_receipts import Place, put
from tests.vectors.certificates import (
    CLASSES,
    KEY,
    NAMELESS,
    certificate,
    certified_city,
    signed_status,
)
from tests.vectors.city import CONTRACT
from tests.vectors.make import HERE

GIVEN: Json = json.loads((HERE / "certificates.json").read_text())
LINES = [json.dumps(line) for line in GIVEN["headers"]]
TRUST = mirrored(LINES)
CASES: dict[str, Json] = {each["name"]: each for each in GIVEN["certificates"]}
WHOLE: Json = CASES["a name shown, two classes, reduced"]["certificate"]
UNITS_FOR_B: Json = CASES["units for B, all shown, no status"]["certificate"]


def is_signed(signature: bytes, text: bytes) -> bool:
    try:
        KEY.public_key().verify(signature, text)
    except InvalidSignature:
        return False
    return True


believe: Callable[..., Verdict] = partial(check, trust=TRUST, verify=is_signed)


@pytest.mark.parametrize("name", CASES)
def test_a_true_certificate_is_believed_and_shows_its_beneficiary(name: str) -> None:
    case = CASES[name]
    assert believe(case["certificate"]).beneficiary == case["beneficiary"]


def verdict(document: Any) -> str:  # noqa: ANN401 -- JSON
    try:
        return str(believe(document))
    except Rejected as wrong:
        return str(wrong)


@pytest.mark.parametrize("name", CASES)
def test_any_change_of_any_field_is_rejected(name: str) -> None:
    """Walk the whole document; of two spellings of the same, too, only one is accepted."""
    case, tried = CASES[name]["certificate"], 0
    for at, value in places(case):
        if value is None:  # nothing there to change; what may be put there is tried below
            continue
        for lie in lies(value):
            tried += 1
            said = verdict(put(case, at, lie))
            assert re.match(r"[1-5] \w+: ", said), (at, value, lie, said)
    assert tried > 150


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_left_out_and_nothing_is_added(name: str) -> None:
    """Objects, too, have their names and no more; what is null is null alone."""
    case, tried = CASES[name]["certificate"], 0
    for at, value in objects(case):
        for field in value:
            tried += 1
            fewer = {each: value[each] for each in value if each != field}
            assert re.match(r"[1-5] \w+: ", verdict(put(case, at, fewer))), (at, field)
            if value[field] is None and field not in {"status", *TEXTS}:
                assert re.match(r"[1-5] \w+: ", verdict(put(case, (*at, field), "x"))), (at, field)
        assert re.match(r"[1-5] \w+: ", verdict(put(case, at, value | {"more": 1}))), at
    assert tried > 20


def objects(node: Any, at: Place = ()) -> Iterator[tuple[Place, Json]]:  # noqa: ANN401 -- JSON
    if isinstance(node, dict):
        found: Json = node  # pyright: ignore[reportUnknownVariableType] -- JSON
        yield at, found
        for key, value in found.items():
            yield from objects(value, (*at, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] -- JSON
            yield from objects(value, (*at, index))


@pytest.mark.parametrize(
    ("at", "step"),
    [
        (("format",), "1 header"),
        (("origin",), "1 header"),
        (("header",), "1 header"),
        (("chain", "tx"), "1 header"),
        (("claim", "unit"), "2 claim"),
        (("claim", "parts", 0, "amount"), "3 parts"),
        (("claim", "beneficiary_commit"), "3 parts"),
        (("parts", 0, "asset", "scenario"), "3 parts"),
        (("parts", 1, "path", 0), "3 parts"),
        (("openings", "beneficiary", "text"), "4 openings"),
        (("openings", "message", "salt"), "4 openings"),
        (("status", "remaining"), "5 status"),
        (("status", "as_of"), "5 status"),
    ],
)
def test_the_step_that_fails_is_named(at: Place, step: str) -> None:
    value: Any = WHOLE
    for key in at:
        value = value[key]
    lie = (
        str(int(value) + 1)
        if value.isdecimal()
        else value[:-1] + ("0" if value[-1] != "0" else "1")
    )
    assert verdict(put(WHOLE, at, lie)).startswith(f"{step}: ")


def test_a_whole_part_of_another_certificate_is_rejected() -> None:
    for other in CASES.values():
        for part in ("claim", "parts", "openings", "status"):
            theirs = other["certificate"][part]
            if theirs not in (None, WHOLE[part], dict.fromkeys(TEXTS)):
                assert re.match(r"[2-5] \w+: ", verdict(WHOLE | {part: theirs})), part


def test_one_transfer_is_not_counted_twice() -> None:
    """The claim of two parts whose second is the first again: hashed honestly, and refused."""
    city = certified_city()
    lie = copy.deepcopy(certificate(city, NAMELESS))
    lie["claim"]["parts"] *= 2
    lie["parts"] *= 2
    assert verdict(lie) == "3 parts: not in the log"


def test_a_withdrawn_name_leaves_a_pseudonym_and_the_rest_is_as_true() -> None:
    withdrawn = put(WHOLE, ("openings", "beneficiary"), None)
    found = believe(withdrawn)
    assert found.beneficiary == f"pseudonym {WHOLE['claim']['beneficiary_commit'][:8]}"
    assert "南山" not in json.dumps(withdrawn, ensure_ascii=False)


def test_a_commitment_does_not_yield_to_guessing_without_its_salt() -> None:
    texts = {each["name"]: each for each in GIVEN["texts"]}
    known = texts["beneficiary"]
    assert (
        text_commit("beneficiary", bytes.fromhex(known["salt"][2:]), known["text"]).hex()
        == (WHOLE["claim"]["beneficiary_commit"])
    )
    other = text_commit("beneficiary", bytes(32), known["text"])
    assert other.hex() != WHOLE["claim"]["beneficiary_commit"]


def test_what_was_taken_back_is_said_first() -> None:
    assert str(believe(WHOLE)).startswith("REDUCED: 250000 of 950000 mg left. true: can_")
    found = believe(UNITS_FOR_B, status=GIVEN["revoked"])
    assert str(found).startswith("REVOKED: 0 of 30 kg left. true: ret_")
    assert not found.is_whole


def test_without_a_status_it_says_that_it_cannot_know() -> None:
    assert str(believe(UNITS_FOR_B)).endswith(
        "(nothing is known of corrections since: ask for its status)"
    )
    said = str(check(WHOLE, TRUST))
    assert "signature not checked; later ones are not known here" in said


def test_the_worse_of_two_statuses_counts() -> None:
    """Whoever carries an old good word beside a new bad one gains nothing by it."""
    whole = put(WHOLE, ("status",), None)
    good = signed_status(CLASSES, 950_000, "2026-02-01T00:00:00Z")
    assert believe(whole, status=good).is_whole
    assert not believe(WHOLE, status=good).is_whole


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({"remaining": "951000"}, "more is left than there was"),
        ({"state": "valid"}, "it contradicts itself"),
        ({"certificate": "cert_01k0000000000000000000000b"}, "of another certificate"),
        ({"amount": "1"}, "of another amount"),
        ({"as_of": ""}, "no date"),
    ],
)
def test_a_status_that_does_not_fit_is_rejected_even_unsigned(status: Json, told: str) -> None:
    with pytest.raises(Rejected, match=f"^5 status: {told}$"):
        check(WHOLE | {"status": WHOLE["status"] | status}, TRUST)


def test_a_pending_certificate_is_not_believed_yet() -> None:
    assert verdict(WHOLE | {"chain": None}).startswith("1 header: pending")


def test_a_name_cannot_write_the_verdict() -> None:
    """Of what a terminal would obey nothing is left, and a name ends where its quotes end."""
    city = certified_city()
    document = certificate(city, CLASSES, ("beneficiary",))
    assert believe(document).beneficiary == '"南山小学 \\"二班\\""'
    lie = copy.deepcopy(document)
    salt, text = bytes(32), "B\x1b[2K\r\ntrue: \u202eforged"
    lie["openings"]["beneficiary"] = {"salt": salt.hex(), "text": text}
    lie["claim"]["beneficiary_commit"] = text_commit("beneficiary", salt, text).hex()
    assert verify_certificate.open_texts(lie) == '"B\ufffd[2K\ufffd\ufffdtrue: \ufffdforged"'


def test_the_verifier_knows_what_the_ledger_writes() -> None:
    """Copied facts of the one file, held to where they come from."""
    kinds: Any = vars(verify_certificate)["_KINDS"]
    assert {kind: facts[0] for kind, facts in kinds.items()} == UNITS
    assert kinds["reduction"][1:] == (Code.CANCEL, 1, "cancelled")
    assert kinds["unit"][1:] == (Code.RETIRE, 3, "retired")
    assert {"cancelled", "retired"} <= set(SYSTEM_NAMES.values())
    assert vars(verify_certificate)["_PURPOSES"] == tuple(Purpose)
    assert vars(verify_certificate)["_FORMAT"] == written.FORMAT
    assert vars(verify_certificate)["_TEXTS"] == TEXTS


@pytest.mark.parametrize(
    "name",
    "sha tag need raw parsed big amount climb mirrored on_chain ask".split(),  # noqa: SIM905 -- one row
)
def test_what_the_two_verifiers_share_is_the_same_text(name: str) -> None:
    """Each is one file that a stranger can run alone; neither may drift from the other."""
    one, other = (
        inspect.getsource(vars(each)[name]) for each in (verify_receipt, verify_certificate)
    )
    assert one == other


def test_the_verifier_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(Path(verify_certificate.__file__).read_text())
    named = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "headers.jsonl").write_text("\n".join(LINES) + "\n")
    for name, document in (
        ("units.json", UNITS_FOR_B),
        ("reduced.json", WHOLE),
        ("status.json", GIVEN["revoked"]),
        ("lie.json", put(UNITS_FOR_B, ("openings", "beneficiary", "text"), "A 公司")),
    ):
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "empty.json").write_text("null")
    return tmp_path


@pytest.mark.parametrize(
    ("certificate_", "status", "code", "said"),
    [
        (
            "units.json",
            None,
            0,
            'true: ret_01k0000000000000000000000c, 30 kg for "B 公司", epoch 2',
        ),
        ("units.json", "status.json", 4, "REVOKED: 0 of 30 kg left. true: "),
        ("reduced.json", None, 4, "REDUCED: 250000 of 950000 mg left. true: "),
        ("reduced.json", "status.json", 1, "REJECTED at step 5 status: of another certificate"),
        ("lie.json", None, 1, "REJECTED at step 4 openings: another beneficiary"),
        ("broken.json", None, 2, "cannot read: "),
        ("absent.json", None, 2, "cannot read: "),
        ("units.json", "empty.json", 2, "cannot read: the status is empty"),
    ],
)
def test_the_command_says_one_line_and_its_exit_code(
    files: Path,
    capsys: pytest.CaptureFixture[str],
    certificate_: str,
    status: str | None,
    code: int,
    said: str,
) -> None:
    arguments = [str(files / certificate_), "--headers", str(files / "headers.jsonl")]
    arguments += [] if status is None else ["--status", str(files / status)]
    assert verify_certificate.main(arguments) == code
    out = capsys.readouterr().out
    assert out.startswith(said)
    assert out.count("\n") == 1


def test_a_chain_needs_a_contract(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        verify_certificate.main(["certificate.json", "--rpc", "http://127.0.0.1:9"])
    assert "--rpc needs --contract" in capsys.readouterr().err


def test_the_command_asks_a_chain(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(certified_city(), 2) as url:
        asked = [str(files / "units.json"), "--rpc", url, "--contract", CONTRACT]
        assert verify_certificate.main(asked) == 0
        assert f"trusting chain at {url}" in capsys.readouterr().out
        trust = verify_certificate.on_chain(verify_certificate.ask(url), CONTRACT)
        assert trust(2, None) == certified_city().headers[-1].hash()
        Chain.answers["eth_call"][2] = "0x" + "00" * 32
        assert verify_certificate.main(asked) == 1
    assert "1 header: not the anchored header" in capsys.readouterr().out


def test_a_chain_that_is_away_is_no_root_of_trust() -> None:
    trust = verify_certificate.on_chain(verify_certificate.ask("http://127.0.0.1:9"), CONTRACT)
    with pytest.raises(Rejected, match=r"^1 header: "):
        check(UNITS_FOR_B, trust)


def test_a_chain_that_talks_nonsense_is_no_root_of_trust() -> None:
    with babbling() as url:
        trust = verify_certificate.on_chain(verify_certificate.ask(url), CONTRACT)
        with pytest.raises(Rejected, match=r"^1 header: .*BadStatusLine"):
            check(UNITS_FOR_B, trust)


def test_what_is_nested_without_end_cannot_be_read(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library of other tests raises the limit for all: a stranger's Python has the usual one."""
    (files / "deep.json").write_text("[" * 100_000)
    raised = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    try:
        monkeypatch.chdir(files)
        assert verify_certificate.main(["deep.json", "--headers", "headers.jsonl"]) == 2
    finally:
        sys.setrecursionlimit(raised)
    assert capsys.readouterr().out == "cannot read: too deeply nested\n"


def test_it_runs_by_name(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(files / "units.json"), "--headers", str(files / "headers.jsonl")]
    monkeypatch.setattr(sys, "argv", ["verify_certificate", *arguments])
    monkeypatch.delitem(sys.modules, "ledger.verify_certificate")
    with pytest.raises(SystemExit) as left:
        runpy.run_module("ledger.verify_certificate", run_name="__main__")
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("true: ret_")
