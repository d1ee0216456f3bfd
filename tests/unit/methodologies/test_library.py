"""The catalogue that ships: it loads, its examples hold, its lock and its pages are current."""

import hashlib
import runpy
import sys
from datetime import date
from decimal import ROUND_UP, Decimal
from importlib import resources
from pathlib import Path

import pytest

from methodologies import (
    CATALOG,
    Document,
    Evidence,
    Grade,
    Ineligible,
    NoFactor,
    assess,
    explain,
    factor,
    find,
    get,
    grade,
    lint,
    methodology_key,
    quantify,
    read_inputs,
)
from methodologies.__main__ import main
from methodologies.digest import Republished, extend_lock, parse_lock, sha256, tag
from methodologies.factors import all_factors
from methodologies.units import parse_unit

ROOT = Path(__file__).parents[3]
PACKAGE = resources.files("methodologies")
VERSIONS = list(CATALOG)
MEASURED = Evidence.PROVIDER_MEASURED


@pytest.mark.parametrize("key", VERSIONS, ids="{0[0]}-{0[1]}".format)
def test_it_loads_and_its_worked_examples_hold(key: tuple[str, int]) -> None:
    source = (PACKAGE / "catalog" / key[0] / f"{key[1]}.toml").read_bytes()
    document = CATALOG[key]
    assert (document.code, document.version) == key
    assert len(document.examples) >= 1
    assert {fault.code for fault in lint(source)} <= {"parameter.spread"}
    assert sha256(source) == document.sha256
    assert b"\r" not in source


def test_it_has_every_methodology_of_the_design() -> None:
    codes = {code for code, _ in VERSIONS}
    assert {f"SHCER-{each}" for each in ("BUS", "METRO", "BIKE", "EV", "POWER", "PV")} <= codes
    assert {"SZ-BUS", "SZ-METRO", "SZ-POWER", "CQ-EBIKE", "TP-HOUSEHOLD", "TP-RECYCLING"} <= codes
    assert {("WH-BUS", 1), ("WH-BUS", 2), ("WH-METRO", 2), ("WH-BIKE", 2)} <= set(VERSIONS)
    assert len(CATALOG) == len(VERSIONS)


def test_texts_whose_annexes_are_missing_refuse_to_run_and_say_what_is_missing() -> None:
    refusing = {code: d.missing_parameters for (code, _), d in CATALOG.items() if not d.program}
    assert refusing == {
        "SHCER-BIKE": ("base_factor", "bike_factor"),
        "SHCER-BUS": ("mean_distance", "base_factor", "bus_factor"),
        "SHCER-EV": ("base_factor", "ev_factor"),
        "SHCER-METRO": ("base_factor", "metro_factor"),
        "SHCER-POWER": ("baseline", "power_factor"),
        "SZ-POWER": ("person_baseline", "power_factor"),
    }


def test_no_unsigned_unapproved_document_is_a_and_no_proposal_ever_can_be() -> None:
    found = {code: assess(d, on=d.effective).grade for (code, _), d in CATALOG.items()}
    assert Grade.A not in found.values()
    assert {code for code, each in found.items() if each is Grade.C} == {
        "BJ-CLEANPLATE",
        "CITIC-EBILL",
        "TEXTILE-REUSE",
        "TP-HOUSEHOLD",
        "TP-HOUSEHOLD-DAILY",
        "TP-WATER",
    }


def test_every_number_has_a_source_that_the_document_resolves() -> None:
    for document in CATALOG.values():
        assert all(each.source for each in document.parameters)
        assert all(each.url or each.id in {"TANPU", "GH3"} for each in document.sources)


def test_the_version_in_force_follows_the_day() -> None:
    assert find("WH-METRO", on=date(2025, 8, 25)).version == 1
    assert find("WH-METRO", on=date(2025, 8, 26)).version == 2
    for code, day in [("WH-METRO", date(2020, 1, 1)), ("NONE", date(2026, 1, 1))]:
        with pytest.raises(KeyError):
            find(code, on=day)
    with pytest.raises(KeyError):
        get("SZ-METRO", 99)


def test_a_past_record_keeps_the_version_it_was_computed_with() -> None:
    old = get("WH-BUS", 1)
    day = date(2026, 1, 1)
    late = quantify(old, {}, evidence=MEASURED, occurred_on=day)
    assert late == Ineligible("methodology.not_in_force")
    assert old.until == date(2025, 8, 25)
    assert get("WH-BUS", 2).supersedes == 1


def test_solar_power_stays_b_until_its_crediting_period_is_sourced() -> None:
    document = get("SHCER-PV", 1)
    assert "source.missing:crediting_period" in assess(document, on=document.effective).why


def test_recycling_is_b_only_with_a_receipt_and_capped_at_four_kilograms() -> None:
    document = get("TP-RECYCLING", 1)
    assert document.cap_mg == 4_000_000
    assert grade(document, evidence=Evidence.DOCUMENT_PROVED, on=document.effective) is Grade.B
    assert grade(document, evidence=Evidence.SELF_DECLARED, on=document.effective) is Grade.C
    assert "clothing" not in document.inputs[0].options


def test_a_taxi_counts_nothing_and_a_broken_position_is_refused() -> None:
    document, day = get("TP-TAXI", 1), date(2026, 1, 1)
    for distance, reason in [("5", "mode.not_eligible"), ("3014.702", "input.above_maximum")]:
        found = quantify(document, {"distance": distance}, evidence=MEASURED, occurred_on=day)
        assert isinstance(found, Ineligible)
        assert found.reason == reason


def test_the_lock_holds_every_version_and_nothing_has_changed() -> None:
    lock = parse_lock((PACKAGE / "methodologies.lock").read_text())
    assert lock == {key: document.sha256 for key, document in CATALOG.items()}


def test_the_lock_only_grows() -> None:
    text = "A 1 aa\nB 1 bb\n"
    assert extend_lock(text, {("A", 1): "aa", ("B", 1): "bb", ("A", 2): "cc"}) == text + "A 2 cc\n"
    for digests in ({("A", 1): "xx", ("B", 1): "bb"}, {("A", 1): "aa"}):
        with pytest.raises(Republished):
            extend_lock(text, digests)


def test_the_pages_are_what_the_documents_make(tmp_path: Path) -> None:
    main(["docs", str(tmp_path / "pages")])
    made = {file.name: file.read_text() for file in (tmp_path / "pages").iterdir()}
    kept = {file.name: file.read_text() for file in (ROOT / "docs" / "methodologies").iterdir()}
    assert made == kept
    assert len(made) == len(CATALOG) + 1


def test_the_lock_command_writes_and_keeps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "methodologies.lock"
    main(["lock", str(lock)])
    first = lock.read_text()
    main(["lock", str(lock)])
    assert lock.read_text() == first == (PACKAGE / "methodologies.lock").read_text()
    with pytest.raises(SystemExit):
        main(["unlock", str(lock)])
    assert "usage" in capsys.readouterr().err


def test_the_package_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["methodologies"])
    monkeypatch.delitem(sys.modules, "methodologies.__main__")
    with pytest.raises(SystemExit) as left:
        runpy.run_module("methodologies", run_name="__main__")
    assert left.value.code == 2


def test_the_key_of_a_version_is_that_of_the_specification() -> None:
    written_out = hashlib.sha256(b"carbon-anchor/v1/methodology").digest()
    assert tag("methodology") == written_out
    preimage = written_out + b"SZ-METRO" + b"\x00" + b"\x00\x00\x00\x01"
    assert methodology_key("SZ-METRO", 1) == hashlib.sha256(preimage).digest()


def test_a_factor_is_chosen_by_purpose_and_day() -> None:
    on = date(2026, 1, 1)
    assert factor("electricity.ets", region="CN-SH", purpose="shcer", on=on).value == Decimal(
        "0.42"
    )
    average = factor("electricity.average", region="CN-SH", purpose="consumption", on=on)
    assert average.value == Decimal("0.5737")
    old = factor("electricity.average", region="CN-SH", purpose="consumption", on=date(2022, 7, 1))
    assert old.value == Decimal("0.5849")
    for purpose, day in [("ets", on), ("consumption", date(2020, 1, 1))]:
        with pytest.raises(NoFactor):
            factor("electricity.average", region="CN-SH", purpose=purpose, on=day)


def test_no_two_factors_serve_the_same_day_and_every_unit_is_known() -> None:
    seen: dict[tuple[str, str, str], date] = {}
    for each in all_factors():
        key = (each.id, each.region, each.purpose)
        assert each.valid_from > seen.get(key, date.min)
        seen[key] = each.valid_to or date.max
        assert parse_unit(each.unit).is_tagged
        assert each.source


def test_derived_factors_follow_from_their_components() -> None:
    for each in all_factors():
        parts = {name: Decimal(value) for name, value in each.components}
        if "oxidation" in parts:
            exact = parts["ncv_gj_per_t"] * parts["carbon_t_per_gj"] * parts["oxidation"] * 44 / 12
            assert each.value == exact.quantize(Decimal("0.000001"), ROUND_UP), each.id
            assert each.note.endswith("rounded up to six places"), "an inventory's factor errs up"
        elif parts:
            assert each.value == parts["primary_kgco2e_per_t"] - parts["secondary_kgco2e_per_t"]
            assert "derived" in each.note


def test_the_derived_factors_are_those_of_the_shared_data() -> None:
    shared = ROOT.parent / "shared" / "data" / "factors" / "desnz_2025_recycling_derived.csv"
    if not shared.exists():
        pytest.skip("the shared data folder is not beside the repository")
    for line in shared.read_text().splitlines():
        if line.startswith("Plastics: PET"):
            pet = factor(
                "recycling.closed_loop.pet", region="GB", purpose="recycling", on=date(2025, 6, 1)
            )
            assert Decimal(line.split(",")[4]) == pet.value


def documents_that_run() -> list[Document]:
    return [each for each in CATALOG.values() if each.program]


@pytest.mark.parametrize("document", documents_that_run(), ids=lambda each: f"{each.code}")
def test_the_working_ends_in_what_was_credited(document: Document) -> None:
    for example in document.examples:
        if example.reduction is None:
            continue
        inputs = read_inputs(document, example.given)
        on = document.effective
        lines = explain(document, inputs, evidence=example.evidence, occurred_on=on)
        answer = quantify(document, inputs, evidence=example.evidence, occurred_on=on)
        assert isinstance(lines, tuple)
        assert not isinstance(answer, Ineligible)
        assert lines[-1].value == str(answer.mg)
