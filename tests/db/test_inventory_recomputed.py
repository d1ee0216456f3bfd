"""A whole inventory against the publications (清单复算): computed here by nothing of ours.

Goal: what a closed inventory says a line emits is what anybody gets who opens the published file
at the row that the line names. Method: the model marathon, 53 lines over every category, closed by
the commands; each line again by csv, Fraction and a list of units written here. The published files
are those of the shared data folder where that is at hand, and the shipped copies otherwise.
"""

import csv
import json
import runpy
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from hashlib import sha256
from importlib.resources import files
from math import ceil
from pathlib import Path

import pytest
from sqlmodel import Session

from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.neutrality.categories import Category
from app.neutrality.gatherings import Gathering, Occasion, lock_gathering, open_gathering
from app.neutrality.imports import TableKind, understood
from app.neutrality.inventories import Closing, Inventory, close_inventory, find_inventory
from app.neutrality.inventory_rules import Stage
from app.neutrality.lines import add_lines
from app.neutrality.statement_document import understated
from app.neutrality.thresholds import GatheringKind, Size
from methodologies.published import TABLES, table_bytes
from tests.support.organisations import organisation

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "factors"
SHEET = files("app").joinpath("demo_data", "model_marathon.csv").read_bytes()
ATTENDANCE = 48_000

PER = {
    "tonnes": {"t": Fraction(1), "kg": Fraction(1, 1000)},
    "litres": {"L": Fraction(1)},
    "cubic metres": {"m3": Fraction(1)},
    "kWh": {"kWh": Fraction(1)},
    "km": {"km": Fraction(1)},
    "passenger.km": {"pkm": Fraction(1)},
    "tonne.km": {"t*km": Fraction(1)},
    "Room per night": {"room*night": Fraction(1)},
}
"""How many of what a factor is per are in one of a line's unit."""


def published(name: str, table: str) -> list[dict[str, str]]:
    """Read a publication: the shared copy of it, or the shipped one."""
    beside = SHARED / name
    data = beside.read_bytes() if beside.exists() else table_bytes(table)
    return list(csv.DictReader(data.decode("utf-8-sig").splitlines()))


def factors() -> Iterator[tuple[tuple[str, str], tuple[Fraction, str]]]:
    """Give each published factor [kg] and what it is per, by table and row."""
    for row in published("desnz_2025_flat.csv", "desnz-2025"):
        if row["GHG Conversion Factor 2025"] and row["GHG/Unit"] == "kg CO2e":
            value = Fraction(row["GHG Conversion Factor 2025"])
            yield ("desnz-2025", row["ID"]), (value, row["UOM"])
    for row in published("china_grid_factors_2021_2023.csv", "cn-grid"):
        place = row["row"] if "row" in row else f"{row['region']}/{row['data_year']}"
        yield ("cn-grid", place), (Fraction(row["value"]), "kWh")
    for row in csv.DictReader(table_bytes("cn-fuels").decode().splitlines()):
        parts = (row["ncv_gj_per_t"], row["carbon_t_per_gj"], row["oxidation"])
        exact = Fraction(44, 12)
        for part in parts:
            exact *= Fraction(part)
        yield ("cn-fuels", row["id"]), (Fraction(ceil(exact * 10**6), 10**6) * 1000, "tonnes")


@pytest.fixture
def closed(db: Database, keys: Keys) -> Inventory:
    office, on = organisation(db, keys), day_of(now()) - timedelta(days=1)
    assert on > date(2023, 12, 31), "the grid's newest data year"
    size = Size(ATTENDANCE)
    occasion = Occasion(
        GatheringKind.COMPETITION, "示例马拉松", "A marathon", size, on, on, "420106", "武汉"
    )
    opened = (new_id(), office.organisation.id, occasion)
    gathering = db.transact(open_gathering, keys, *opened, at=now())
    read = understood(TableKind.SUPPLIERS, SHEET, gathering, Stage.ACTUAL, new_id)
    assert not any(row.faults for row in read.rows)
    closing = Closing(ATTENDANCE, {}, ["Quantities are those of a model"])
    db.transact(add_lines, gathering, Stage.ACTUAL, read.lines, at=now())
    db.transact(locked_close, gathering, closing)
    return db.read(find_inventory, gathering.id, Stage.ACTUAL)


def locked_close(session: Session, gathering: Gathering, closing: Closing) -> Inventory:
    locked = lock_gathering(session, gathering.id, organisation=gathering.organisation)
    return close_inventory(session, locked, Stage.ACTUAL, closing, at=now())


def test_every_line_is_what_its_published_row_gives(closed: Inventory) -> None:
    known, document = dict(factors()), json.loads(closed.document)
    lines = document["lines"]
    assert len(lines) >= 40
    assert {line["category"] for line in lines} == {each.value for each in Category}
    total = 0
    for line in lines:
        factor = line["factor"]
        value, per = known[factor["table"], factor["row"]]
        in_one = PER[per][line["unit"]]
        mg = ceil(Fraction(line["quantity"]) * in_one * value * 1_000_000)
        assert line["co2e_mg"] == mg, line
        assert factor["source"], line
        total += mg
    assert document["total_mg"] == closed.total_mg == total
    assert sum(document["categories"].values()) == total
    assert sha256(closed.document).digest() == closed.digest


def test_what_understates_says_so_once_in_a_statement(closed: Inventory) -> None:
    lines = json.loads(closed.document)["lines"]
    british = {line["factor"]["row"] for line in lines if "Rail" in line["factor"]["names"]}
    assert british == {"25_315_3150_11_1", "25_315_3147_11_1"}
    notes = understated(closed.told)
    assert [each[:46] for each in notes] == [
        "May understate: CO2 alone: methane and nitrous",
        "May understate: Trains of British power: a Chi",
        "May understate: Waste burned for energy: what ",
    ]


def test_its_lines_are_those_of_the_table_that_was_sent(closed: Inventory) -> None:
    sent = list(csv.DictReader(SHEET.decode().splitlines()))
    lines = json.loads(closed.document)["lines"]
    for row, line in zip(sent, lines, strict=True):
        told = {name: line[name] for name in ("category", "label", "unit", "tier", "note")}
        assert told == {name: row[name] for name in told}
        assert Fraction(line["quantity"]) == Fraction(row["quantity"])
        assert (line["factor"]["table"], line["factor"]["row"]) == (row["table"], row["row"])


def test_it_names_the_tables_by_their_digest(closed: Inventory) -> None:
    named: list[Mapping[str, str]] = json.loads(closed.document)["tables"]
    assert {each["id"] for each in named} == set(TABLES)
    for each in named:
        assert each["sha256"] == sha256(table_bytes(each["id"])).hexdigest()


def test_a_marathon_is_of_the_published_order_of_magnitude(closed: Inventory) -> None:
    wuhan_2025_mg = 3_030_220_000_000
    assert wuhan_2025_mg / 3 < closed.total_mg < wuhan_2025_mg * 3


def test_the_page_shows_what_this_tree_computes(closed: Inventory) -> None:
    marathon = runpy.run_path(str(ROOT / "docs" / "marathon.py"))
    assert marathon["page"]() == (ROOT / "docs" / "neutrality.md").read_text(encoding="utf-8")
    assert sum(line.emissions_mg for line in marathon["lines"]()) == closed.total_mg
