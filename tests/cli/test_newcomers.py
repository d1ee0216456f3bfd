"""What a newcomer types first, and what is said: which line, which word, what to do next."""

import socket
from pathlib import Path

import pytest

import methodologies
from tests.cli.conftest import Run

METRO = Path(methodologies.__file__).with_name("catalog") / "SZ-METRO" / "1.toml"
HEADER = "external_id,subject,occurred_at,distance\n"
PEOPLE = ("--provider", "newcomer", "--methodology", "SZ-METRO")


@pytest.fixture
def newcomer(city: Run) -> Run:
    """Open a provider, once."""
    assert city("provider", "add", "newcomer").code in {0, 4}
    return city


def test_each_line_that_does_not_count_is_counted_by_its_reason(
    newcomer: Run, tmp_path: Path
) -> None:
    file = tmp_path / "own.csv"
    lines = (
        "n1,card-1,2026-11-01T08:00:00+08:00,10.3 km",
        "n2,card-1,2026-11-01T09:00:00,10.3",
        "n3,card-1,2026-11-01T10:00:00+08:00,far",
    )
    file.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    said = newcomer("ingest", file, *PEOPLE)
    assert said.code == 0, said
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.out.splitlines()]
    assert ["malformed", "field.distance", "2", "2"] in rows
    assert ["malformed", "field.occurred_at", "1", "3"] in rows


@pytest.mark.parametrize(
    "option", [("--shift-days", 9), ("--day", "2026-11-01"), ("--declare", "a=1")]
)
def test_an_importers_option_without_an_importer_is_not_ignored(
    newcomer: Run, tmp_path: Path, option: tuple[str, object]
) -> None:
    file = tmp_path / "own.csv"
    file.write_text(HEADER, encoding="utf-8")
    said = newcomer("ingest", file, *PEOPLE, *option)
    assert (said.code, said.out) == (2, "")
    assert "--format" in said.err


def test_a_refusal_is_a_sentence_in_two_languages_with_its_facts(newcomer: Run) -> None:
    said = newcomer("provider", "add", "newcomer")
    assert said.code == 4
    assert said.err == (
        "providers.code_taken: 提供方代码已被占用 Another provider has this code already. "
        "(provider: newcomer)\n"
    )


@pytest.mark.parametrize("number", [0, 2**63, 10**23])
def test_a_number_that_no_account_has_is_wrong_input(
    city: Run, tmp_path: Path, number: int
) -> None:
    out = tmp_path / "r.json"
    assert city("receipt", "export", number, "--out", out).code == 2
    assert city("receipt", "export", 1, "--epoch", number, "--out", out).code == 2
    assert city("receipt", "export", 1, "--since", number, "--out", out).code == 2


def test_a_methodology_that_is_not_there_says_where_they_are_listed(run: Run) -> None:
    assert "tanpu methodology list" in run("methodology", "show", "sz-metro").err


def test_an_input_of_another_name_is_told_the_names(run: Run) -> None:
    for given in ((), ("--input", "dist=10 km")):
        assert "(distance: 0 to 150 km)" in run("methodology", "eval", METRO, *given).out


def test_a_day_that_is_none_is_told_the_form(run: Run) -> None:
    said = run("methodology", "eval", METRO, "--on", "yesterday")
    assert said.code == 2
    assert "%Y-%m-%d" in said.err


def test_codes_are_whole_on_a_narrow_terminal(run: Run, bare: pytest.MonkeyPatch) -> None:
    bare.setenv("COLUMNS", "80")
    shown = run("methodology", "list").out
    for code, _ in methodologies.CATALOG:
        assert f"│ {code} " in shown


def test_rides_are_of_a_day_that_is_over(newcomer: Run, tmp_path: Path) -> None:
    out = tmp_path / "rides.ndjson"
    sizes = ("--citizens", 40, "--activities", 40)
    assert newcomer("simulate", *sizes, "--seed", 4711, "--out", out).code == 0
    assert newcomer("ingest", out, *PEOPLE, "--json").json()["refused"] == 0


def test_a_taken_port_says_how_to_take_another(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = run("up", "--port", taken.getsockname()[1])
    assert said.code == 3
    assert "--port" in said.err
