"""The register of personal data (个人信息清单): held to the database's own catalogue."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.citizens import Citizen
from app.citizens.errors import CitizenUnknown
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.privacy.exporting import blocks, export
from app.privacy.exports import EXPORTS
from app.privacy.register import FORGETS, KEPT
from tests.support.leaving import Leaver, Town

NAMED = re.compile(r"\b(?:from|join|update)\s+([a-z_]+)")
OWNERS = """
select c.table_name from information_schema.columns c
  join pg_class k on k.relname = c.table_name and k.relnamespace = 'public'::regnamespace
 where c.table_schema = 'public' and c.column_name in ('account', 'owner')
   and k.relkind in ('r', 'p') and not k.relispartition group by 1"""
LOG = {"log_entry", "account_anchor", "epoch_staging"}
"""Of the log: a number alone; the anchor lets go of it."""
NAMED_OTHERWISE = {"account", "transfer", "approval", "desk_answer"}
"""Their owner is the id, or source and target; what the desk wrote names an object of theirs."""


def tables_of(*statements: str) -> set[str]:
    return {name for each in statements for name in NAMED.findall(each)}


@pytest.fixture
def town(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Town:
    return Town(db, worker_db, keys, tmp_path)


def parts_of(town: Town, who: Leaver) -> dict[str, str]:
    made = town.db.read(export, town.keys, who.citizen, at=now())
    archive = zipfile.ZipFile(io.BytesIO(b"".join(blocks(made))))
    assert archive.testzip() is None
    return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def test_every_table_with_an_owner_is_in_the_register(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = {name for (name,) in connection.execute(OWNERS).fetchall()}
    decided = tables_of(*FORGETS) | set(KEPT)
    assert found - decided - LOG == set(), "add it to app/privacy/register.py"
    assert decided - found - NAMED_OTHERWISE == set(), "it is not there any more"


def test_whatever_is_kept_or_forgotten_is_exported(database_url: str) -> None:
    asked = tables_of(*(part.query for part in EXPORTS))
    unasked = (tables_of(*FORGETS) | set(KEPT)) - asked
    assert unasked == {
        "account", "account_secret",  # the ledger's keys, which are nobody's to read
        "accrual_day", "activity_key",  # follow from activities
        "approval", "desk_answer",  # the desk's own papers, which say what these tables say
        "citizen_answer",  # answers given before, for a week
        "erasure", "guardian_code", "profile", "subject",  # opened by name, or of no content
        "organisation", "buffer_owner",  # their owners are no persons
        "settlement", "settlement_line", "settlement_share",  # organisations', as what follows
        "settlement_dispute", "settlement_adjustment", "settlement_final", "settlement_payout",
        "webhook_endpoint", "webhook_message",
    }  # fmt: skip
    assert database_url


def test_an_export_has_everything_of_one_person_and_nothing_of_another(town: Town) -> None:
    a, b = town.join(1), town.join(2)
    parts = parts_of(town, a)
    assert {name.split(".")[0] for name in parts} == {"profile", *(e.name for e in EXPORTS)}
    (profile,) = json.loads(parts["profile.json"])
    assert (profile["phone"], profile["display_name"], profile["wechat"]) == (
        a.phone,
        a.name,
        a.openid,
    )
    everything = "\n".join(parts.values())
    for word in (*b.words(), *(each.hex() for each in b.hashes(town.keys, town.metro))):
        assert word not in everything
    acts = json.loads(parts["activities.json"])
    assert len(acts) == 2
    assert acts[0]["inputs"] == {"distance": "10"}
    assert acts[0]["place"] == "Shenzhen"
    assert {row["scene"] for row in json.loads(parts["consents.json"])} == {
        "test-ride",
        "whereabouts",
    }
    (link,) = json.loads(parts["links.json"])
    assert link["number_hash"] == a.hashes(town.keys, town.metro)[0].hex()
    assert len(json.loads(parts["transfers.json"])) == 2
    (balance,) = json.loads(parts["balances.json"])
    assert balance["amount"] == 2_000_000


def test_both_forms_say_the_same(town: Town) -> None:
    parts = parts_of(town, town.join(1))
    for name in (part.name for part in EXPORTS):
        told: list[dict[str, Any]] = json.loads(parts[f"{name}.json"])
        table = list(csv.DictReader(io.StringIO(parts[f"{name}.csv"])))
        assert len(table) == len(told), name
        for row, line in zip(told, table, strict=True):
            assert row.keys() == line.keys()
            assert [value is None for value in row.values()] == [v == "" for v in line.values()]


def test_a_name_that_a_spreadsheet_would_run_is_text(town: Town) -> None:
    from app.privacy.profile import change_profile  # noqa: PLC0415 -- beside its only use

    a = town.join(1)
    changes = {"display_name": "=1+1"}
    town.db.transact(change_profile, town.keys, a.citizen, changes, at=now())
    parts = parts_of(town, a)
    assert "'=1+1" in parts["profile.csv"]
    assert json.loads(parts["profile.json"])[0]["display_name"] == "=1+1"


def test_who_was_erased_or_never_was_has_no_export(town: Town) -> None:
    a = town.join(1)
    town.erase(a)
    for who in (a.citizen, Citizen(1, 65538)):
        with pytest.raises(CitizenUnknown):
            town.db.read(export, town.keys, who, at=now())
