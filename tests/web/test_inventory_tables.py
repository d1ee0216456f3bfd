"""Tables of attendees and suppliers over HTTP (清单导入): tried first, then all or none."""

import csv
from hashlib import sha256
from io import StringIO
from typing import Any

import pytest
from httpx2 import Response

from app.kernel.ids import new_id
from app.kernel.sheets import TABLE_MAX
from app.neutrality.imports import ROWS_MAX
from tests.support.desk import Person
from tests.web.organisers import HOTEL, PATH, code, opened

SUPPLIED = {
    "category": "rooms_meals",
    "label": "Hotel 酒店",
    "quantity": "120",
    "unit": "room*night",
    "table": "desnz-2025",
    "row": HOTEL,
    "tier": "estimated",
    "note": "",
}
GROUP = {"mode": "train", "distance_km": "350.5", "persons": "10"}


def table(*rows: dict[str, str]) -> bytes:
    out = StringIO(newline="")
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


class Sheets:
    """What an organiser sends of one gathering."""

    def __init__(self, organiser: Person) -> None:
        self.organiser = organiser
        self.path = f"{PATH}/{opened(organiser)['id']}/inventory"

    def sent(
        self, kind: str, data: bytes, *, dry_run: bool = False, key: str | None = None
    ) -> Response:
        told = f"stage=expected&dry_run={str(dry_run).lower()}"
        headers = {**self.organiser.headers, "Idempotency-Key": key or new_id().hex}
        path = f"{self.path}/tables/{kind}?{told}"
        return self.organiser.client.post(path, content=data, headers=headers)

    def lines(self) -> list[dict[str, Any]]:
        return self.organiser.get(self.path + "/lines?stage=expected").json()["data"]


@pytest.fixture
def sheets(organiser: Person) -> Sheets:
    return Sheets(organiser)


def test_suppliers_rows_are_lines_after_they_were_tried(sheets: Sheets) -> None:
    data = table(SUPPLIED, {**SUPPLIED, "quantity": "1.5", "label": "'=SUM(A1)"})
    tried = sheets.sent("suppliers", data, dry_run=True)
    assert tried.status_code == 200, tried.text
    assert [row["outcome"] for row in tried.json()["rows"]] == ["valid", "valid"]
    assert [each["emissions"]["co2e_mg"] for each in tried.json()["lines"]] == [
        6_420_000_000,
        80_250_000,
    ]
    assert sheets.lines() == []
    made = sheets.sent("suppliers", data)
    assert made.status_code == 201, made.text
    assert sheets.lines() == made.json()["lines"]
    assert [(each["origin"], each["label"]) for each in sheets.lines()] == [
        ("table", "Hotel 酒店"),
        ("table", "=SUM(A1)"),
    ]


def test_attendees_are_added_up_to_a_line_a_way_of_travelling(sheets: Sheets) -> None:
    data = table(
        {**GROUP, "vehicles": ""},
        {"mode": "train", "distance_km": "100", "persons": "5", "vehicles": ""},
        {"mode": "car", "distance_km": "20", "persons": "8", "vehicles": "2"},
        {"mode": "car", "distance_km": "20", "persons": "3", "vehicles": ""},
        {"mode": "walk", "distance_km": "1", "persons": "50", "vehicles": ""},
    )
    made = sheets.sent("attendees", data)
    assert made.status_code == 201, made.text
    told = {each["factor"]["row"]: each for each in made.json()["lines"]}
    train, car = told["25_315_3147_11_1"], told["25_301_3074_4_1"]
    assert (train["quantity"], train["unit"]) == ("8010", "pkm"), "7,010 and 1,000"
    assert (car["quantity"], car["unit"]) == ("200", "km"), "two cars, and one for each of three"
    assert len(told) == 2, "walking emits nothing"
    assert {each["evidence"] for each in told.values()} == {sha256(data).hexdigest()}
    assert {each["tier"] for each in told.values()} == {"estimated"}


def test_one_row_at_fault_and_none_is_added(sheets: Sheets) -> None:
    rows = [SUPPLIED, {**SUPPLIED, "row": "1_1_1_1"}, {**SUPPLIED, "quantity": "-1"}, SUPPLIED]
    for data, pointer, found in (
        (table(*rows[:2]), "/2", "inventory.factor_missing"),
        (table(rows[0], rows[2]), "/2/quantity", "request.string_pattern_mismatch"),
    ):
        tried = sheets.sent("suppliers", data, dry_run=True).json()
        assert (tried["refused"], tried["lines"]) == (1, [])
        refused = sheets.sent("suppliers", data)
        assert (refused.status_code, code(refused)) == (422, "inventory.table_refused")
        (fault,) = refused.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, found)
    assert sheets.lines() == []


def test_who_came_by_name_is_refused(sheets: Sheets) -> None:
    for more in ({"name": "李安"}, {"phone": "13800000000"}, {"ticket": "x"}):
        for dry_run in (True, False):
            answer = sheets.sent("attendees", table({**GROUP, **more}), dry_run=dry_run)
            assert (answer.status_code, code(answer)) == (422, "inventory.table_invalid")
            assert "李安" not in answer.text


NASTY = {
    "nothing": b"",
    "names alone": b"mode,distance_km,persons\r\n",
    "latin": "mode,distance_km\r\ntr\xe9in,1\r\n".encode("latin-1"),
    "utf-16": table(GROUP).decode("utf-8-sig").encode("utf-16"),
    "open quote": table(GROUP) + b'"',
    "column twice": b"mode,mode\r\ntrain,train\r\n",
    "too long": b"mode,distance_km,persons\r\n" + b"train,1,1\r\n" * (ROWS_MAX + 1),
}
WRONG = {
    "formula": {**GROUP, "persons": "=1+1"},
    "hidden formula": {**GROUP, "persons": "'=1+1"},
    "nul": {**GROUP, "distance_km": "1\x00"},
    "float": {**GROUP, "distance_km": "1e9"},
    "none": {**GROUP, "persons": "0"},
    "around the world": {**GROUP, "distance_km": "20039"},
    "many": {**GROUP, "persons": "10000001"},
    "rocket": {**GROUP, "mode": "rocket"},
    "full width": {**GROUP, "persons": "１０"},
    "vast": {**GROUP, "persons": "9" * 5000},
}


def test_what_is_no_table_is_refused(sheets: Sheets) -> None:
    for name, data in NASTY.items():
        for kind in ("attendees", "suppliers"):
            answer = sheets.sent(kind, data, dry_run=True)
            assert (answer.status_code, code(answer)) == (422, "inventory.table_invalid"), name
    assert sheets.sent("people", table(GROUP)).status_code == 422


def test_a_cell_that_is_none_is_pointed_at(sheets: Sheets) -> None:
    for name, row in WRONG.items():
        answer = sheets.sent("attendees", table(GROUP, row))
        assert answer.status_code == 422, name
        if code(answer) == "inventory.table_refused":
            assert all(each["pointer"].startswith("/2") for each in answer.json()["errors"]), name
    short = sheets.sent("attendees", table(GROUP) + b"train,1\r\n")
    assert short.json()["errors"][0]["pointer"] == "/2"
    assert sheets.lines() == []


def test_a_table_counts_once_a_key(sheets: Sheets) -> None:
    first = sheets.sent("suppliers", table(SUPPLIED), key="once")
    again = sheets.sent("suppliers", table(SUPPLIED), key="once")
    other = sheets.sent("suppliers", table(SUPPLIED, SUPPLIED), key="once")
    assert first.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert code(other) == "idempotency.key_reused"
    assert len(sheets.lines()) == 1


def test_a_table_has_an_end(sheets: Sheets) -> None:
    full = sheets.sent("suppliers", table(*[SUPPLIED] * 500))
    assert full.status_code == 201, full.text
    more = sheets.sent("suppliers", table(SUPPLIED))
    assert (more.status_code, code(more)) == (409, "inventory.lines_many")
    vast = sheets.sent("suppliers", b"x" * (TABLE_MAX + 1))
    assert vast.status_code == 413
