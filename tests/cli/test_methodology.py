"""``tanpu methodology``: the fixed forms, and documents that others wrote."""

import json
import re
from pathlib import Path

import pytest

import methodologies
from app.anchoring.evm.contracts import registry_address
from app.kernel.secrets import Keys
from tests.cli.conftest import Home, Run
from tests.e2e.processes import tanpu

CATALOG = Path(methodologies.__file__).with_name("catalog")
METRO = CATALOG / "SZ-METRO" / "1.toml"
KEYS = {"eligible", "reduction_mg", "working"}
PLACED = re.compile(r"line \d+: (?:[\w.\[\]-]+: )?[a-z]+\.[\w.]+: .")
"""Place, code, sentence."""


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the exemplar with some of its text changed."""
    text = METRO.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    file = folder / "theirs.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_eval_has_its_fixed_form(run: Run) -> None:
    said = run("methodology", "eval", METRO, "--input", "distance=10.3 km", "--json")
    assert said.code == 0
    answer = said.json()
    assert set(answer) == KEYS
    assert answer["eligible"] is True
    assert answer["reduction_mg"] == 482_040
    assert type(answer["reduction_mg"]) is int
    assert answer["working"]
    for step in answer["working"]:
        assert set(step) == {"name", "expression", "value", "unit"}
        assert {type(text) for text in step.values()} == {str}
    assert "reduction" in {step["name"] for step in answer["working"]}


def test_eval_has_its_fixed_form_as_a_process(tmp_path: Path) -> None:
    done = tanpu(
        tmp_path / "home",
        "methodology",
        "eval",
        str(METRO),
        "--input",
        "distance=10.3 km",
        "--json",
    )
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["reduction_mg"] == 482_040
    assert done.stderr == ""
    assert not (tmp_path / "home").exists(), "evaluation starts nothing"


@pytest.mark.parametrize(
    ("given", "more", "mg"),
    [
        ("10300 m", (), 482_040),
        ("10.3km", (), 482_040),
        ("10.3 km", ("--evidence", "self_declared"), 241_020),
        ("149 km", (), 4_000_000),
    ],
)
def test_units_evidence_and_caps_are_applied(
    run: Run, given: str, more: tuple[str, ...], mg: int
) -> None:
    said = run("methodology", "eval", METRO, "--input", f"distance={given}", *more, "--json")
    reached = said.json()["reduction_mg"]
    assert reached == mg or (mg == 4_000_000 and reached >= mg)


def test_what_is_not_eligible_says_why(run: Run) -> None:
    said = run("methodology", "eval", METRO, "--input", "distance=0.4 km", "--json")
    assert said.code == 0
    assert said.json() == {"eligible": False, "reason": "trip.too_short"}


def test_an_input_that_it_does_not_know_is_named(run: Run) -> None:
    answer = run("methodology", "eval", METRO, "--input", "speed=1 km", "--json").json()
    assert answer == {"eligible": False, "reason": "input.unknown", "about": "speed"}


def test_a_methodology_that_lacks_a_parameter_names_it(run: Run) -> None:
    document = CATALOG / "SHCER-METRO" / "1.toml"
    answer = run("methodology", "eval", document, "--input", "distance=10 km", "--json").json()
    assert answer["eligible"] is False
    assert answer["reason"] == "methodology.parameter_missing"
    assert "base_factor" in answer["about"]


@pytest.mark.parametrize(
    "given",
    [
        "distance=NaN km",
        "distance=1 kg",
        "distance",
        "distance=",
        "distance=1e999 km",
    ],
)
def test_an_input_that_makes_no_sense_is_wrong_input(run: Run, given: str) -> None:
    said = run("methodology", "eval", METRO, "--input", given, "--json")
    assert said.code == 2, said
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("input: ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('unit   = "g/pkm"', 'unit   = "g/s"'),
        ('"distance * passenger * saving"', '"distance * distance"'),
        ('"distance * passenger * saving"', '"distance * nothing"'),
        ('"distance * passenger * saving"', "\"__import__('os').system('x')\""),
        ('"distance * passenger * saving"', '"distance.real"'),
        ('"distance * passenger * saving"', '"9**9**9 * g"'),
        ('value  = "46.8"', 'value  = "forty"'),
        ('value  = "46.8"', "value  = 46.8"),
        ("version    = 1", "version    = 0"),
        ("version    = 1", "version    = 1\nversion = 2"),
        ("[formula]", "[formulae]"),
        ('unit = "km"', 'unit = "furlongz"'),
    ],
)
def test_a_document_that_does_not_load_is_told_by_place(
    run: Run, tmp_path: Path, before: str, after: str
) -> None:
    file = changed(tmp_path, (before, after))
    for words in (("eval",), ("lint",), ("eval", "--json")):
        said = run("methodology", words[0], file, *words[1:])
        assert said.code == 2, said
        assert said.out == ""
        faults = said.err.splitlines()
        assert faults
        for fault in faults:
            assert PLACED.match(fault), fault


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        b"code",
        b"[" * 5000,
        b"a = " + b"[" * 5000,
        b"code = 1\n" * 3,
        "﻿code = 'x'".encode(),
        b"x" * 3_000_000,
        b'code = "A"\n[inputs.x]\nunit = "km"\nmin = "1e99999999"\n',
    ],
    ids=range(10),
)
def test_a_hostile_document_is_refused_with_its_place(
    run: Run, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "hostile.toml"
    file.write_bytes(content)
    for command in (("methodology", "lint"), ("methodology", "eval"), ("verify", "methodology")):
        said = run(*command, file)
        assert said.code == 2, (command, said)
        assert said.out == ""
        assert said.err.splitlines()
        assert all(PLACED.match(fault) for fault in said.err.splitlines()), said.err


def test_a_document_that_is_not_there_is_said(run: Run, tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        for command in (
            ("methodology", "lint"),
            ("methodology", "eval"),
            ("verify", "methodology"),
        ):
            said = run(*command, path)
            assert said.code == 2
            (line,) = said.err.splitlines()
            assert line.startswith(f"file: {path}")


def test_list_show_and_render_tell_of_every_version(run: Run, tmp_path: Path) -> None:
    rows = run("methodology", "list", "--json").json()["methodologies"]
    assert {(row["code"], row["version"]) for row in rows} == set(methodologies.CATALOG)
    assert "SZ-METRO" in run("methodology", "list").out
    for row in rows:
        shown = run("methodology", "show", row["code"], "--version", row["version"], "--json")
        assert shown.json() == row
    page = tmp_path / "page.md"
    assert run("methodology", "render", "SZ-METRO", "--out", page).code == 0
    assert (
        page.read_text(encoding="utf-8").strip()
        == run("methodology", "render", "SZ-METRO").out.strip()
    )
    assert "46.8" in page.read_text(encoding="utf-8")


def test_an_unknown_methodology_is_said(run: Run) -> None:
    for words in (("show", "NOPE"), ("render", "SZ-METRO", "--version", "99")):
        said = run("methodology", *words)
        assert said.code == 2
        assert said.err.startswith("methodology.unknown: ")


def test_verify_tells_the_published_text_from_another(run: Run, tmp_path: Path) -> None:
    assert run("verify", "methodology", METRO, "--json").json()["ok"] is True
    theirs = changed(
        tmp_path, ('value  = "46.8"', 'value  = "46.9"'), ("482.04", "483.07"), ("241.02", "241.53")
    )
    said = run("verify", "methodology", theirs, "--json")
    assert said.code in {1, 2}
    if said.code == 1:
        assert said.json()["ok"] is False


def test_publishing_puts_every_shipped_digest_on_the_chain_once(city: Run) -> None:
    first = city("methodology", "publish", "--json").json()
    assert first["digests"]["SZ-METRO 1"] == methodologies.get("SZ-METRO", 1).sha256
    assert len(first["digests"]) == len(methodologies.CATALOG)
    assert city("methodology", "publish", "--json").json()["told"] == 0


def test_verify_asks_the_registry_on_the_chain(city: Run, home: Home, home_keys: Path) -> None:
    city("methodology", "publish", "--json")
    anchor_key = Keys(home_keys, make_missing=False).anchor
    node = ("--rpc", home.addresses.chain_rpc_url)
    asked = ("verify", "methodology", METRO, *node, "--registry", registry_address(anchor_key))
    found = city(*asked, "--json").json()
    assert (found["ok"], found["standing"]) == (True, "in force")
    assert city("verify", "methodology", METRO, *node).code == 2, "no registry is named"
    elsewhere = city("verify", "methodology", METRO, *node, "--registry", "0x" + "11" * 20)
    assert elsewhere.code == 3, "nothing is there"
