"""Serials: one form, one parser; malformed, old and separator-bearing texts are none."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.serials import (
    BATCH_MAX,
    METHOD_MAX,
    UNIT_MAX,
    Serial,
    SerialMalformed,
    check_of,
    method_code,
    parse_serial,
    write_serial,
)

LETTERS = string.digits + string.ascii_uppercase
GOOD = "TP1-SZMETRO-202601-00001-0000000001-0000000120-FN"
MONTHS = st.dates(date(1, 1, 1), date(9999, 12, 31)).map(lambda day: day.replace(day=1))


@st.composite
def serials(draw: st.DrawFn) -> Serial:
    start = draw(st.integers(1, UNIT_MAX))
    return Serial(
        draw(st.text(LETTERS, min_size=2, max_size=METHOD_MAX)),
        draw(MONTHS),
        draw(st.integers(1, BATCH_MAX)),
        start,
        draw(st.integers(start, UNIT_MAX)),
    )


def test_a_serial_counts_its_units() -> None:
    assert parse_serial(GOOD).quantity_kg == 120


@given(serials())
def test_what_is_written_is_read_back(serial: Serial) -> None:
    assert parse_serial(write_serial(serial)) == serial


@given(serials(), st.data())
def test_one_slip_is_found(serial: Serial, data: st.DataObject) -> None:
    text = write_serial(serial)
    at = data.draw(st.sampled_from([n for n, each in enumerate(text) if each != "-"]))
    other = data.draw(st.sampled_from([each for each in LETTERS if each != text[at]]))
    with pytest.raises(SerialMalformed):
        parse_serial(text[:at] + other + text[at + 1 :])


@given(serials(), st.data())
def test_two_neighbours_that_changed_places_are_found(serial: Serial, data: st.DataObject) -> None:
    text = write_serial(serial)
    places = [
        n for n in range(len(text) - 1) if text[n] != text[n + 1] and "-" not in text[n : n + 2]
    ]
    at = data.draw(st.sampled_from(places))
    with pytest.raises(SerialMalformed):
        parse_serial(text[:at] + text[at + 1] + text[at] + text[at + 2 :])


@given(st.text(max_size=80))
def test_no_other_text_is_a_serial(text: str) -> None:
    try:
        found = parse_serial(text)
    except SerialMalformed:
        return
    assert write_serial(found) == text


def signed(body: str) -> str:
    """A text whose check characters are right, whatever else is wrong."""
    return f"{body}-{check_of(body)}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.lower(),
        f" {GOOD}",
        f"{GOOD}\n",
        GOOD.replace("-", ""),
        GOOD.replace("-", "_"),
        GOOD[:-3],
        GOOD.replace("0000000001", "NaN"),
        "NaN-NaN-undefined",
        GOOD.replace("0000000120", "000000012０"),
        signed("TP0-SZMETRO-202601-00001-0000000001-0000000120"),
        signed("TP2-SZMETRO-202601-00001-0000000001-0000000120"),
        signed("TP01-SZMETRO-202601-00001-0000000001-0000000120"),
        signed("SHP1-SZMETRO-202601-00001-0000000001-0000000120"),
        signed("TP1-SZ-METRO-202601-00001-0000000001-0000000120"),
        signed("TP1-S-202601-00001-0000000001-0000000120"),
        signed("TP1-SZMETRO-202600-00001-0000000001-0000000120"),
        signed("TP1-SZMETRO-202613-00001-0000000001-0000000120"),
        signed("TP1-SZMETRO-000001-00001-0000000001-0000000120"),
        signed("TP1-SZMETRO-202601-00000-0000000001-0000000120"),
        signed("TP1-SZMETRO-202601-00001-0000000000-0000000120"),
        signed("TP1-SZMETRO-202601-00001-0000000121-0000000120"),
        signed("TP1-SZMETRO-202601-1-1-120"),
    ],
)
def test_it_is_no_serial(text: str) -> None:
    with pytest.raises(SerialMalformed):
        parse_serial(text)


def test_the_check_is_that_of_the_standard() -> None:
    assert check_of("ISO79") == "3W"  # the example of ISO 7064 for MOD 1271-36
    assert parse_serial(GOOD) == Serial("SZMETRO", date(2026, 1, 1), 1, 1, 120)


def test_a_code_with_separators_becomes_one_part() -> None:
    assert method_code("SHCER-01-012-2024-GROUND-BUS") == "SHCER010122024GR"
    assert method_code("碳-普") == ""
