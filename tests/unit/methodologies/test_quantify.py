"""From an act to milligrams: bounds, eligibility, evidence, rounding, caps, working."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from methodologies import (
    BadQuantity,
    Evidence,
    Ineligible,
    Reduction,
    Working,
    cap,
    explain,
    load,
    parse_quantity,
    quantify,
    quantify_many,
    read_inputs,
)
from methodologies.quantify import Value
from methodologies.quantities import mass_mg

from .documents import METRO, loaded

DAY = date(2026, 1, 1)
MEASURED = Evidence.PROVIDER_MEASURED
METRO_DOCUMENT = load(METRO)


def outcome(value: Value, evidence: Evidence = MEASURED) -> int | tuple[str, str]:
    inputs = {"distance": value}
    found = quantify(METRO_DOCUMENT, inputs, evidence=evidence, occurred_on=DAY)
    return (found.reason, found.about) if isinstance(found, Ineligible) else found.mg


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3", 95_100),
        (Decimal("3.000000"), 95_100),
        ("0.5", 15_850),
        ("100", 3_170_000),
        ("0.49", ("trip.too_short", "")),
        ("0", ("trip.too_short", "")),
        ("-1", ("input.below_minimum", "distance")),
        ("100.1", ("input.above_maximum", "distance")),
        (Decimal("Infinity"), ("input.above_maximum", "distance")),
        (Decimal("-Infinity"), ("input.below_minimum", "distance")),
        (Decimal("NaN"), ("input.not_a_number", "distance")),
        (Decimal("sNaN"), ("input.not_a_number", "distance")),
        (Decimal("1E+999999"), ("input.above_maximum", "distance")),
        (Decimal("1E-999999"), ("input.too_precise", "distance")),
        ("3.1234567", ("input.too_precise", "distance")),
        ("three", ("input.not_a_number", "distance")),
        ("1e2", ("input.not_a_number", "distance")),
        ("", ("input.not_a_number", "distance")),
        (None, ("input.missing", "distance")),
    ],
)
def test_it_answers_for_any_value(value: Value, expected: int | tuple[str, str]) -> None:
    assert outcome(value) == expected


def test_it_tells_a_refused_value_from_an_ineligible_act() -> None:
    assert Ineligible("input.missing", "distance").is_input
    assert not Ineligible("trip.too_short").is_input


def test_it_halves_what_people_declare_themselves_and_rounds_down_once() -> None:
    assert outcome("3.00001") == 95_100
    assert outcome("3", Evidence.DOCUMENT_PROVED) == 95_100
    assert outcome("3", Evidence.SELF_DECLARED) == 47_550
    assert outcome("0.50003", Evidence.SELF_DECLARED) == 7_925


def test_it_refuses_an_input_that_nobody_declared() -> None:
    inputs = {"distance": "3", "speed": "1"}
    found = quantify(METRO_DOCUMENT, inputs, evidence=MEASURED, occurred_on=DAY)
    assert found == Ineligible("input.unknown", "speed")


def test_it_keeps_to_the_days_in_force() -> None:
    document = loaded(("2024-01-01", "2024-01-01\nuntil = 2024-12-31"))
    first, last = date(2024, 1, 1), date(2024, 12, 31)
    days = [first - timedelta(1), first, last, last + timedelta(1)]
    refused = Ineligible("methodology.not_in_force")
    rows = [((Decimal(3),), MEASURED, day) for day in days]
    assert quantify_many(document, rows) == [refused, 95_100, 95_100, refused]


def test_it_accepts_only_the_evidence_that_the_document_names() -> None:
    document = loaded(more='\n[evidence]\naccepts = ["document_proved"]\n')
    rows = [((Decimal(3),), each, DAY) for each in Evidence]
    refused = Ineligible("evidence.not_accepted")
    assert quantify_many(document, rows) == [refused, 95_100, refused]


def test_it_credits_nothing_that_is_not_positive_or_beyond_belief() -> None:
    document = loaded(("distance * passenger * saving", "(distance - 2 * km) * passenger * saving"))
    less = quantify(document, {"distance": "1"}, evidence=MEASURED, occurred_on=DAY)
    assert less == Ineligible("reduction.not_positive")
    huge = loaded(("distance * passenger * saving", "distance * 99999 * t / km"))
    more = quantify(huge, {"distance": "90"}, evidence=MEASURED, occurred_on=DAY)
    assert more == Ineligible("reduction.too_large")


def test_it_refuses_to_run_and_names_what_is_missing() -> None:
    document = loaded(('value  = "31.7"\n', ""), ('"official_text"', '"missing"'))
    refused = Ineligible("methodology.parameter_missing", "saving")
    inputs = {"distance": "3"}
    assert quantify(document, inputs, evidence=MEASURED, occurred_on=DAY) == refused
    assert explain(document, inputs, evidence=MEASURED, occurred_on=DAY) == refused


def test_it_takes_defaults_for_what_is_left_out_and_answers_for_unknown_words() -> None:
    more = """
[inputs.rider]
options = ["adult", "child"]
otherwise = "rider.not_counted"
default = "adult"

[inputs.group]
unit = "person"
max = "9"
decimals = 0
default = "2"
"""
    document = loaded(("distance * passenger", "distance * group"), more=more)
    rows: list[tuple[tuple[Value, ...], Evidence, date]] = [
        (("1", None, None), MEASURED, DAY),
        (("1", "child", "3"), MEASURED, DAY),
        (("1", "dog", None), MEASURED, DAY),
        (("1", Decimal(1), None), MEASURED, DAY),
    ]
    unknown = Ineligible("rider.not_counted", "rider")
    assert quantify_many(document, rows) == [63_400, 95_100, unknown, unknown]
    required = loaded(more=more.replace('default = "adult"\n', ""))
    missing = quantify(required, {"distance": "1"}, evidence=MEASURED, occurred_on=DAY)
    assert missing == Ineligible("input.missing", "rider")


def test_a_shared_ride_divides_by_its_passengers() -> None:
    """One car emits once: each of those who share it counts a part, and nobody can be nobody."""
    more = """
[inputs.riders]
unit = "person"
min = "1"
max = "9"
decimals = 0

[parameters.car]
value = "24"
unit = "g/km"
status = "official_text"
source = "somewhere"
"""
    shared = ("distance * passenger * saving", "distance * passenger * (saving - car / riders)")
    document = loaded(shared, more=more)
    rows: list[tuple[tuple[Value, ...], Evidence, date]] = [
        (("10", riders), MEASURED, DAY) for riders in ("1", "2", "3", "0", None)
    ]
    refused = [Ineligible("input.below_minimum", "riders"), Ineligible("input.missing", "riders")]
    assert quantify_many(document, rows) == [77_000, 197_000, 237_000, *refused]


def test_it_shows_its_working() -> None:
    formula = ('reduction = "distance', 'third = "distance / 3"\nreduction = "third')
    document = loaded(formula)
    lines = explain(document, {"distance": "10"}, evidence=Evidence.SELF_DECLARED, occurred_on=DAY)
    assert lines == (
        Working("third", "distance / 3", "3.333333333333…", "km"),
        Working("reduction", "third * passenger * saving", "105666.666666666666…", "mg"),
        Working("weighted", "reduction * 0.5", "52833.333333333333…", "mg"),
        Working("rounded_down", "floor(weighted)", "52833", "mg"),
    )
    whole = explain(METRO_DOCUMENT, {"distance": "3"}, evidence=MEASURED, occurred_on=DAY)
    assert whole == (Working("reduction", "distance * passenger * saving", "95100", "mg"),)


def test_it_says_why_there_is_no_working() -> None:
    found = explain(METRO_DOCUMENT, {"distance": "0.1"}, evidence=MEASURED, occurred_on=DAY)
    assert found == Ineligible("trip.too_short")


def test_it_shows_steps_longer_than_any_mass() -> None:
    document = loaded(
        ("distance * passenger * saving", "a / a * g"),
        (
            "[formula]",
            "[formula]\nb = 'distance * distance * distance * distance'\na = 'b * b * b * b'",
        ),
    )
    lines = explain(document, {"distance": "99.999999"}, evidence=MEASURED, occurred_on=DAY)
    assert isinstance(lines, tuple)
    assert lines[-1].value == "1000"


def test_it_caps_a_day_by_what_came_before() -> None:
    shown = [cap(METRO_DOCUMENT, before, 400_000) for before in (0, 400_000, 800_000, 1_200_000)]
    assert shown == [400_000, 400_000, 200_000, 0]
    uncapped = loaded(('[caps.person_day]\nreduction = "1 kg"\nsource    = "a rule"\n', ""))
    assert cap(uncapped, 10**12, 5) == 5


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [
        ("10.3 km", "km", "10.3"),
        ("10300m", "km", "10.3"),
        ("4", "kWh", "4"),
        (" 7 min ", "h", "0.116666"),
        ("1.5 MW", "kW", "1500"),
        ("-2 g", "kg", "-0.002"),
        ("3 passenger", "person", "3"),
        ("2 kg CO2e", "gCO2e", "2000"),
    ],
)
def test_it_reads_amounts_as_people_write_them(text: str, to: str, expected: str) -> None:
    assert parse_quantity(text, to=to) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["", "km", "1e3 km", "ten km", "3 kWh", "3 leagues", "1,5 km", "NaN"]
)
def test_it_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(BadQuantity):
        parse_quantity(text, to="km")


def test_it_reads_masses_of_co2e_whether_tagged_or_not() -> None:
    assert mass_mg("1.5 kg") == mass_mg("1.5 kgCO2e") == 1_500_000


def test_it_reads_named_inputs_and_leaves_words_alone() -> None:
    given = {"distance": "3000 m", "other": "word"}
    assert read_inputs(METRO_DOCUMENT, given) == {"distance": Decimal(3), "other": "word"}


def test_a_reduction_is_whole_milligrams() -> None:
    found = quantify(METRO_DOCUMENT, {"distance": "3"}, evidence=MEASURED, occurred_on=DAY)
    assert found == Reduction(95_100)
