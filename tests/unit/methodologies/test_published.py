"""Published tables of factors: the shipped copies are the publications, row by row."""

import csv
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methodologies.published import (
    CN_FUELS,
    CN_GRID,
    DESNZ,
    TABLES,
    BadUnit,
    NoRow,
    RowUnusable,
    emission_mg,
    factor_row,
    rows_of,
    table_bytes,
)

SHARED = Path(__file__).parents[4] / "shared" / "data" / "factors"
PUBLISHED_SHA256 = "902d6b849ad879801f4e34fa1a4a25deb4e6493c539d575ff29fb62a77823452"
"""Of DESNZ's flat file of 2025, as it was published."""
HOTEL = "29_600_4009_13_1"


def shared(name: str) -> Path:
    found = SHARED / name
    if not found.exists():
        pytest.skip("the shared data folder is not beside the repository")
    return found


def test_desnz_ships_byte_for_byte() -> None:
    assert sha256(table_bytes(DESNZ)).hexdigest() == PUBLISHED_SHA256


def test_desnz_is_the_shared_data_byte_for_byte() -> None:
    assert table_bytes(DESNZ) == shared("desnz_2025_flat.csv").read_bytes()


def test_the_grid_is_the_shared_data_row_by_row() -> None:
    with shared("china_grid_factors_2021_2023.csv").open(encoding="utf-8") as lines:
        published = {
            f"{row['region']}/{row['data_year']}": (Decimal(row["value"]), row["unit"])
            for row in csv.DictReader(lines)
        }
    shipped = {id_: (row.value, row.published_unit) for id_, row in rows_of(CN_GRID).items()}
    assert shipped == published


def test_each_row_of_desnz_is_usable_or_says_why_not() -> None:
    lines = csv.DictReader(table_bytes(DESNZ).decode("utf-8-sig").splitlines())
    usable, refused = 0, 0
    for line in lines:
        try:
            row = factor_row(DESNZ, line["ID"])
        except RowUnusable:
            refused += 1
            continue
        usable += 1
        assert row.value == Decimal(line["GHG Conversion Factor 2025"]) > 0
        assert line["GHG/Unit"] == "kg CO2e"
        assert emission_mg(row, Decimal(1), row.unit.removeprefix("kgCO2e/")) > 0
    assert (usable, refused) == (len(rows_of(DESNZ)), 8740 - len(rows_of(DESNZ)))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1_100_1000_15_2", "one gas"),
        ("29_600_4002_13_1", "no value"),
        ("25_301_3045_9_1", "per miles"),
        ("5_303_3108_4_1", "zero"),
    ],
)
def test_what_is_no_whole_emission_is_refused(row: str, reason: str) -> None:
    with pytest.raises(RowUnusable, match=reason):
        factor_row(DESNZ, row)


def test_memo_items_are_refused() -> None:
    lines = csv.DictReader(table_bytes(DESNZ).decode("utf-8-sig").splitlines())
    memo = next(each["ID"] for each in lines if each["Scope"] == "Outside of Scopes")
    with pytest.raises(RowUnusable, match="memo"):
        factor_row(DESNZ, memo)


@pytest.mark.parametrize(
    ("table", "row"),
    [(DESNZ, "29_600_4009_13_9"), ("desnz-2024", HOTEL), (CN_GRID, "上海/2024"), ("", "")],
)
def test_what_is_not_published_is_not_invented(table: str, row: str) -> None:
    with pytest.raises(NoRow):
        factor_row(table, row)


def test_units_convert_exactly_and_round_up_once() -> None:
    waste = factor_row(DESNZ, "20_507_5313_15_1")
    assert emission_mg(waste, Decimal(1), "t") == 520_532_700
    assert emission_mg(waste, Decimal("0.001"), "kg") == 521, "520.5327 mg"
    assert emission_mg(waste, Decimal(0), "kg") == 0
    diesel = factor_row(CN_FUELS, "fuel.diesel")
    assert emission_mg(diesel, Decimal(1), "kg") == 3_095_910
    power = factor_row(CN_GRID, "上海/2023")
    assert emission_mg(power, Decimal("3.6"), "MJ") == emission_mg(power, Decimal(1), "kWh")


@pytest.mark.parametrize("unit", ["km", "kWh", "room", "night", "person", "pkm*", "furlong", ""])
def test_other_units_are_refused(unit: str) -> None:
    with pytest.raises(BadUnit):
        emission_mg(factor_row(DESNZ, HOTEL), Decimal(1), unit)


@given(
    row=st.sampled_from(sorted(rows_of(DESNZ))),
    quantity=st.decimals("0.000001", "1e9", places=6),
)
def test_rounding_never_favours_the_organiser(row: str, quantity: Decimal) -> None:
    found = factor_row(DESNZ, row)
    mg = emission_mg(found, quantity, found.unit.removeprefix("kgCO2e/"))
    exact = quantity * found.value * 1_000_000
    assert exact <= mg < exact + 1


def test_every_table_names_its_licence() -> None:
    assert all(each.title and each.licence and each.identity for each in TABLES.values())
    assert "Open Government Licence v3.0" in TABLES[DESNZ].licence
