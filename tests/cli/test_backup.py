"""``tanpu backup`` and ``tanpu restore`` (命令行备份与恢复): what they say and how they end."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_backs_up_a_running_city(city: Run, tmp_path: Path) -> None:
    said = city("backup", tmp_path / "first", "--json")
    assert said.code == 0
    told = said.json()
    assert told["survey"]["rows"]["system_account"] > 0
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == [
        "city.dump",
        "manifest.json",
        "openings.dump",
        "pictures.tar",
    ]
    again = city("backup", tmp_path / "first")
    assert (again.code, again.err.partition(":")[0]) == (4, "backup.already_there")


def test_restores_into_an_empty_database_only(city: Run, tmp_path: Path) -> None:
    assert city("backup", tmp_path / "second").code == 0
    said = city("restore", tmp_path / "second", "--no-chain")
    assert (said.code, said.err.partition(":")[0]) == (4, "backup.target_not_empty")


def test_restores_into_a_new_home(
    city: Run, bare: pytest.MonkeyPatch, tmp_path: Path, home_keys: Path
) -> None:
    made = city("backup", tmp_path / "third", "--json").json()
    bare.delenv("DATABASE_URL")
    bare.setenv("TANPU_HOME", str(tmp_path / "new"))
    bare.setenv("KEYS_DIR", str(home_keys))
    said = city("restore", tmp_path / "third", "--no-chain", "--json")
    assert said.code == 0, said
    told = said.json()
    assert told["differences"] == []
    assert told["halted"] is None
    assert told["epoch"] == made["survey"]["epoch"]
    assert city("restore", tmp_path / "nowhere").code == 4
