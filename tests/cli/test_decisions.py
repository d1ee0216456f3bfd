"""What an operator decides, from the command line: boundary list, other names, signatures."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.kernel.clock import SHANGHAI, day_of, now
from tests.cli.conftest import Run, Said

WHEN = now().astimezone(SHANGHAI) - timedelta(days=1)
HEAD = "external_id,subject,occurred_at,distance,vehicle\n"


def ride(city: Run, folder: Path, provider: str, line: str) -> Said:
    file = folder / "ride.csv"
    file.write_text(HEAD + line.format(at=WHEN.isoformat()) + "\n", encoding="utf-8")
    return city("ingest", file, "--provider", provider, "--methodology", "SZ-METRO", "--json")


@pytest.fixture
def metro(city: Run, tmp_path: Path) -> str:
    code = f"m-{tmp_path.name[-8:].replace('_', '-').lower()}"
    assert city("provider", "add", code).code == 0
    return code


def test_what_is_listed_counts_for_nothing_until_it_ends(
    city: Run, metro: str, tmp_path: Path
) -> None:
    since = day_of(WHEN) - timedelta(days=3)
    listed = ("boundary", "add", "subject", "fleet-1", "--provider", metro)
    said = city(*listed, "--source", "list 7", "--since", since, "--json")
    assert said.json()["new"] is True
    assert city(*listed, "--source", "list 7", "--since", since, "--json").json()["new"] is False
    assert ride(city, tmp_path, metro, "1,fleet-1,{at},8,").json()["ineligible"] == 1
    assert ride(city, tmp_path, metro, "2,citizen-1,{at},8,").json()["accepted"] == 1

    ended = ("boundary", "end", "subject", "fleet-1", "--provider", metro, "--last", since)
    assert city(*ended, "--json").json()["last"] == str(since)
    assert ride(city, tmp_path, metro, "3,fleet-1,{at},8,").json()["accepted"] == 1
    again = city(*ended)
    assert again.code == 4
    assert again.err.startswith("boundary.unknown: ")
    rows = city("boundary", "list", "--json").json()["boundary"]
    assert [(row["reason"], row["valid_to"]) for row in rows if row["source"] == "list 7"] == [
        ("boundary.ets", str(since))
    ]


def test_a_vehicle_is_excluded_under_each_of_its_names(
    city: Run, metro: str, tmp_path: Path
) -> None:
    assert city("boundary", "alias", "vehicle", f"{metro} number seven", f"{metro} k7").code == 0
    said = city(
        "boundary", "add", "vehicle", f"{metro} K7", "--source", "fleet", "--since", "2020-01-01"
    )
    assert said.code == 0, said
    line = f"1,rider,{{at}},8,{metro} Number Seven"
    assert ride(city, tmp_path, metro, line).json()["ineligible"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "subject", "x", "--source", "s"), 2, "--provider"),
        (("add", "station", "x", "--source", "s", "--provider", "p"), 2, "--provider"),
        (("add", "subject", "x", "--source", "s", "--provider", "no-one"), 4, "providers.unknown"),
        (("add", "station", "x", "--source", "s", "--reason", "odd"), 4, "boundary.malformed"),
        (("add", "station", "x", "--source", " "), 4, "boundary.malformed"),
        (("alias", "station", "…", "x"), 4, "boundary.malformed"),
        (("alias", "station", "x" * 65, "x"), 4, "boundary.malformed"),
        (("add", "citizen", "x", "--source", "s"), 2, "citizen"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(
    city: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    done = city("boundary", *words)
    assert done.code == code, done
    assert said in done.err
    assert done.out == ""


def test_two_signatures_and_an_approval_are_recorded_once(city: Run) -> None:
    for reviewer in ("赵一 Zhao Yi", "钱二 Qian Er"):
        sign = ("catalogue", "sign", "SZ-BUS", "1", "--reviewer", reviewer, "--json")
        assert city(*sign).json() == {"methodology": "SZ-BUS", "version": 1, "new": True}
        assert city(*sign).json()["new"] is False
    assert city("catalogue", "sign", "SZ-BUS", "99", "--reviewer", "x").err.startswith(
        "catalogue.version_unknown"
    )


def test_a_scenario_is_approved_between_its_days(city: Run) -> None:
    approve = ("catalogue", "approve")
    days = ("--from", "2026-01-01", "--until", "2026-12-31", "--letter", "No. 5")
    assert city(*approve, "no-such-scenario", *days).err.startswith("catalogue.scenario_unknown")
    wrong = ("--from", "2026-12-31", "--until", "2026-01-01", "--letter", "No. 5")
    assert city(*approve, "sz-bus", *wrong).code == 2


def test_a_signature_and_an_approval_end_by_command(city: Run) -> None:
    who = ("--reviewer", "孙三 Sun San")
    city("catalogue", "sign", "SZ-BUS", "1", *who)
    assert city("catalogue", "unsign", "SZ-BUS", "1", *who).code == 0
    twice = city("catalogue", "unsign", "SZ-BUS", "1", *who)
    assert twice.err.startswith("catalogue.signature_unknown")
    begins = ("--from", "2027-01-01", "--until")
    city("catalogue", "approve", "wh-bus", *begins, "2027-12-31", "--letter", "No. 6")
    ended = city("catalogue", "end", "wh-bus", *begins, "2027-06-30", "--json")
    assert ended.json() == {"scenario": "wh-bus", "until": "2027-06-30"}
    later = city("catalogue", "end", "wh-bus", *begins, "2027-12-31")
    assert later.err.startswith("catalogue.approval_unknown")
