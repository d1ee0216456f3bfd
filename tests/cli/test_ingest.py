"""``tanpu ingest`` and ``simulate``: fixed forms, and sums that come to the lines."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

import polars as pl
import pytest

from app.kernel.clock import SHANGHAI, now
from tests.cli.conftest import Home, Run, Said
from tests.e2e.processes import tanpu

OUTCOMES = {"accepted", "duplicate", "merged", "refused", "ineligible", "conflict", "malformed"}
KEYS = {*OUTCOMES, "enrolled", "reduction_mg", "seconds"}
RIDE_MG = 468_000
_number = count()


def rides(provider: str, lines: int = 4) -> list[dict[str, str]]:
    """Make rides of ten kilometres, each its rider's own; the last is too short."""
    start = now().astimezone(SHANGHAI) - timedelta(days=2)
    return [
        {
            "external_id": f"{provider}-{line}",
            "subject": f"{provider}-card-{line}",
            "occurred_at": start.isoformat(),
            "distance": "10" if line < lines - 1 else "0.4",
        }
        for line in range(lines)
    ]


def as_csv(rows: list[dict[str, str]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return "\n".join(lines).encode() + b"\n"


def as_ndjson(rows: list[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_parquet(rows: list[dict[str, str]], folder: Path) -> bytes:
    path = folder / "made.parquet"
    pl.DataFrame(rows).write_parquet(path)
    return path.read_bytes()


WRITERS: dict[str, Callable[[list[dict[str, str]], Path], bytes]] = {
    "csv": lambda rows, _: as_csv(rows),
    "ndjson": lambda rows, _: as_ndjson(rows),
    "parquet": as_parquet,
    "csv.gz": lambda rows, _: gzip.compress(as_csv(rows)),
    "ndjson.gz": lambda rows, _: gzip.compress(as_ndjson(rows)),
}


@pytest.fixture
def provider(city: Run) -> str:
    """Open a provider of this test's own."""
    code = f"cli-{next(_number)}"
    said = city("provider", "add", code, "--name-zh", "测试", "--name-en", "Test", "--json")
    assert said.json() == {"provider": code}
    return code


def ingest(city: Run, file: Path, provider: str, *more: str) -> Said:
    words = ("--provider", provider, "--methodology", "SZ-METRO", "--json", *more)
    return city("ingest", file, *words)


@pytest.mark.parametrize("kind", list(WRITERS))
def test_each_format_is_taken_in_with_the_same_answer(
    city: Run, provider: str, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"rides.{kind}"
    file.write_bytes(WRITERS[kind](rides(provider), tmp_path))
    first = ingest(city, file, provider)
    assert first.code == 0, first
    answer = first.json()
    assert set(answer) == KEYS
    assert {name: answer[name] for name in answer if answer[name] and name != "seconds"} == {
        "accepted": 3,
        "ineligible": 1,
        "enrolled": 4,
        "reduction_mg": 3 * RIDE_MG,
    }
    assert sum(answer[name] for name in OUTCOMES) == 4
    again = ingest(city, file, provider).json()
    assert (again["duplicate"], again["enrolled"], again["reduction_mg"]) == (4, 0, 0)


def test_a_version_may_be_pinned(city: Run, provider: str, tmp_path: Path) -> None:
    file = tmp_path / "rides.csv"
    file.write_bytes(as_csv(rides(provider)))
    assert ingest(city, file, provider, "--version", "1").json()["accepted"] == 3
    unknown = ingest(city, file, provider, "--version", "99")
    assert (unknown.code, unknown.out) == (4, "")
    assert unknown.err.startswith("methodology.unknown: ")


def test_people_are_shown_a_table(city: Run, provider: str, tmp_path: Path) -> None:
    file = tmp_path / "rides.csv"
    file.write_bytes(as_csv(rides(provider)))
    said = city("ingest", file, "--provider", provider, "--methodology", "SZ-METRO")
    assert said.code == 0
    for word in (*KEYS, "upload"):
        assert word in said.out
    assert said.err == "", "no progress bar off a terminal"


def test_a_process_finds_the_running_city_by_its_home(
    home: Home, provider: str, tmp_path: Path
) -> None:
    file = tmp_path / "rides.ndjson"
    file.write_bytes(as_ndjson(rides(provider)))
    words = ("--provider", provider, "--methodology", "SZ-METRO", "--json")
    done = tanpu(home.path, "ingest", str(file), *words)
    assert done.returncode == 0, done
    assert set(json.loads(done.stdout)) == KEYS
    assert json.loads(done.stdout)["accepted"] == 3


@pytest.mark.parametrize(
    ("methodology", "provider_of", "code"),
    [("NO-SUCH", None, "methodology.unknown"), ("SZ-METRO", "nobody", "providers.unknown")],
)
def test_what_nobody_knows_is_refused_by_its_code(
    city: Run,
    provider: str,
    tmp_path: Path,
    methodology: str,
    provider_of: str | None,
    code: str,
) -> None:
    file = tmp_path / "rides.csv"
    file.write_bytes(as_csv(rides(provider)))
    words = ("--provider", provider_of or provider, "--methodology", methodology, "--json")
    said = city("ingest", file, *words)
    assert (said.code, said.out) == (4, "")
    (line,) = said.err.splitlines()
    assert line.startswith(f"{code}: ")


def test_a_methodology_that_lacks_a_parameter_is_refused_by_name(
    city: Run, provider: str, tmp_path: Path
) -> None:
    file = tmp_path / "rides.csv"
    file.write_bytes(as_csv(rides(provider)))
    said = city("ingest", file, "--provider", provider, "--methodology", "SHCER-METRO", "--json")
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("methodology.parameter_missing: ")
    assert "base_factor" in said.err


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "upload.empty"),
        ("header.csv", b"external_id,subject\n1,2\n", "upload.header"),
        ("cut.csv.gz", gzip.compress(b"x" * 1000, mtime=0)[:-9], "upload.damaged"),
        ("cut.parquet", b"PAR1....", "upload.damaged"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_whole(
    city: Run, provider: str, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    said = ingest(city, file, provider)
    assert (said.code, said.out) == (4, "")
    (line,) = said.err.splitlines()
    assert line.startswith(f"{code}: ")


def test_wrong_words_are_wrong_input(city: Run, provider: str, tmp_path: Path) -> None:
    file = tmp_path / "rides.csv"
    file.write_bytes(as_csv(rides(provider)))
    assert ingest(city, tmp_path / "none.csv", provider).code == 2
    assert ingest(city, file, provider, "--day", "tomorrow").code == 2
    assert ingest(city, file, provider, "--format", "uci-household", "--declare", "x").code == 2
    unknown = ingest(city, file, provider, "--format", "no-such")
    assert (unknown.code, unknown.err.split(":")[0]) == (4, "upload.importer_unknown")


def test_production_enrols_nobody(
    city: Run, bare: pytest.MonkeyPatch, home: Home, provider: str, tmp_path: Path
) -> None:
    file = tmp_path / "rides.csv"
    file.write_bytes(as_csv(rides(provider)))
    named = {
        "ENV": "production",
        "CHAIN_CONTRACT": "0x" + "1" * 40,
        "KEYS_DIR": str(home.path / "keys"),
        "SIGNER_GUARD": str(tmp_path / "signer.guard"),
        "SMS_TOKEN": "hunter2",
        "SMS_URL": "https://sms.example",
    }
    for name, value in named.items():
        bare.setenv(name, value)
    answer = ingest(city, file, provider).json()
    assert (answer["enrolled"], answer["accepted"], answer["reduction_mg"]) == (0, 0, 0)
    assert answer["refused"] == 4


def test_production_names_what_it_lacks_and_quotes_nothing(
    city: Run, bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare.setenv("ENV", "production")
    bare.setenv("DATABASE_URL", "postgresql://tanpu:hunter2@db/tanpu")
    for words in (("audit",), ("epoch", "status"), ("doctor",), ("migrate",)):
        said = city(*words)
        assert said.code == 3
        (line,) = said.err.splitlines()
        assert line.startswith("settings: ")
        assert "CHAIN_CONTRACT" in line
        assert "hunter2" not in line
    del tmp_path


def test_a_database_that_is_away_is_one_line(city: Run, bare: pytest.MonkeyPatch) -> None:
    bare.setenv("DATABASE_URL", "postgresql://tanpu:hunter2@127.0.0.1:1/tanpu")
    for words in (("epoch", "status"), ("audit", "--json"), ("provider", "add", "xx")):
        said = city(*words)
        assert said.code == 3, said
        (line,) = said.err.splitlines()
        assert line.startswith("database: ")
        assert "hunter2" not in line


def simulate(run: Run, out: Path, seed: int, **more: object) -> bytes:
    words = [f"--{name}={value}" for name, value in more.items()]
    sizes = ("--citizens", 20, "--activities", 50)
    said = run("simulate", *sizes, "--seed", seed, "--out", out, "--json", *words)
    assert said.json() == {"file": str(out), "activities": 50, "citizens": 20, "seed": seed}
    return out.read_bytes()


def test_a_seed_is_a_city_and_its_file_is_taken_in_whole(
    city: Run, provider: str, tmp_path: Path
) -> None:
    day = (now().astimezone(SHANGHAI) - timedelta(days=3)).date()
    one, same, other = (
        simulate(city, tmp_path / f"{at}.ndjson", seed, day=day)
        for at, seed in enumerate((7, 7, 8))
    )
    assert one == same
    assert one != other
    for line in map(json.loads, one.splitlines()):
        assert line["external_id"].startswith("sim-7-")
        assert "simulated" in line["place"]
        assert line["occurred_at"].startswith(day.isoformat())
    answer = ingest(city, tmp_path / "0.ndjson", provider).json()
    assert sum(answer[name] for name in OUTCOMES) == 50
    assert answer["malformed"] == answer["refused"] == answer["conflict"] == 0
    assert answer["accepted"] > 40
    assert 0 < answer["enrolled"] <= 20


@pytest.mark.parametrize(
    "words",
    [
        ("--citizens", 0, "--activities", 1),
        ("--citizens", 1, "--activities", 0),
        ("--citizens", 1, "--activities", 1, "--seed", -1),
        ("--citizens", 1, "--activities", 1, "--day", "someday"),
        ("--citizens", 1),
    ],
)
def test_a_simulation_that_makes_no_sense_is_wrong_input(
    run: Run, tmp_path: Path, words: tuple[object, ...]
) -> None:
    assert run("simulate", *words, "--out", tmp_path / "x").code == 2
    assert not (tmp_path / "x").exists()


def test_a_file_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "no" / "such" / "folder.ndjson"
    said = run("simulate", "--citizens", 1, "--activities", 1, "--out", out)
    assert said.code == 2
    assert said.err.splitlines() == [f"file: {out}: No such file or directory"]
