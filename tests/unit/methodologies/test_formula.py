"""The formula language: what is let in, its units, and exactly what it computes."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from methodologies import Document, Evidence, Ineligible, quantify
from methodologies.compiling import number, terminating
from methodologies.units import NO_UNIT, UnknownUnit, conversion, parse_unit

from .documents import faults, loaded

DAY = date(2026, 1, 1)
REDUCTION = "distance * passenger * saving"
MORE = """
[inputs.kind]
options = ["light", "heavy"]
default = "light"

[inputs.other]
unit = "m"
max = "1000000"
default = "2000"

[tables.weight]
by = "kind"
unit = "1"
rows.light = { value = "1", status = "published", source = "s" }
rows.heavy = { value = "2.5", status = "published", source = "s" }
"""


def milligrams(document: Document, **inputs: str) -> int | str:
    found = quantify(document, inputs, evidence=Evidence.PROVIDER_MEASURED, occurred_on=DAY)
    return found.reason if isinstance(found, Ineligible) else found.mg


def formula(expression: str) -> Document:
    return loaded((REDUCTION, expression), more=MORE)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("distance * 2 * g / km", 20_000),
        ("2 * g / km * distance", 20_000),
        ("(distance + other) * g / km", 12_000),
        ("(distance - other) * g / km", 8_000),
        ("(other + distance) * 1 * g / m", 12_000_000),
        ("-(other - distance) * g / km", 8_000),
        ("distance / other * g", 5_000),
        ("distance / 4 / km * g", 2_500),
        ("distance / 3 * g / km", 3_333),
        ("7 * 6 * g", 42_000),
        ("(7 * g + 1 * kg) / 2", 503_500),
        ("(1 * kg - 7 * g) / 2", 496_500),
        ("min(distance, other) * g / km", 2_000),
        ("max(distance, other, 11 * km) * g / km", 11_000),
        ("max(0, distance - other) * g / km", 8_000),
        ("(distance if distance > other else other) * g / km", 10_000),
        ("(distance if not distance > other else other) * g / km", 2_000),
        ("(distance if 0 < distance <= 10 * km and true else other) * g / km", 10_000),
        ("(distance if distance != 10 * km or False else other) * g / km", 2_000),
        ("(distance if kind == 'heavy' else other) * g / km", 2_000),
        ("(distance if kind != 'heavy' else other) * g / km", 10_000),
        ("distance * weight * g / km", 10_000),
        ("weight * distance * g / km", 10_000),
        ("distance * distance * g / (km * km)", 100_000),
        ("distance / (3 * km) * g", 3_333),
        ("(distance / 3) * 3 * g / km", 10_000),
        (".5 * g + 5. * g", 5_500),
    ],
)
def test_it_computes(expression: str, expected: int) -> None:
    assert milligrams(formula(expression), distance="10") == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("__import__('os').system('true')", "formula.not_allowed"),
        ("distance.real", "formula.not_allowed"),
        ("9 ** 9 ** 9", "formula.not_allowed"),
        ("distance % 2", "formula.syntax"),
        ("distance // 2", "formula.not_allowed"),
        ("lambda: 1", "formula.syntax"),
        ("min(*distance, 2)", "formula.not_allowed"),
        ("min(distance)", "formula.arguments"),
        (
            "min(distance, other, distance, other, distance, other, distance, other, distance)",
            "formula.arguments",
        ),
        ("sum(distance, other)", "formula.not_allowed"),
        ("'text'", "formula.not_allowed"),
        ("None", "formula.not_allowed"),
        ("~distance", "formula.syntax"),
        ("+distance", "formula.not_allowed"),
        ("1e9 * g", "formula.syntax"),
        ("0x10 * g", "formula.syntax"),
        ("1_000 * g", "formula.syntax"),
        ("1j * g", "formula.syntax"),
        ("1if true else 2", "formula.syntax"),
        ("9999999999999999999 * g", "formula.number_too_long"),
        ("(" * 240, "formula.syntax"),
        ("-" * 200 + "distance", "formula.too_deep"),
        ("distance + " * 60 + "distance", "formula.too_long"),
        ("distance / 0", "formula.division_by_zero"),
        ("distance / (1 - 1)", "formula.division_by_zero"),
        ("distance * nothing", "name.unknown"),
        ("distance + 1 * kWh", "unit.mismatch"),
        ("distance + 1", "unit.mismatch"),
        ("distance", "unit.not_a_mass"),
        ("distance * saving", "unit.not_a_mass"),
        ("0", "unit.not_a_mass"),
        ("distance > other", "formula.not_a_quantity"),
        ("distance is other", "formula.not_allowed"),
        ("kind", "formula.not_a_quantity"),
        ("distance if other else other", "formula.not_a_condition"),
        ("distance if kind == 'huge' else other", "formula.not_an_option"),
        ("distance if kind > 'heavy' else other", "formula.not_an_option"),
        ("distance if kind == kind else other", "formula.not_an_option"),
        ("distance\n; other", "formula.syntax"),
        ("", "text.malformed"),
    ],
)
def test_it_refuses(expression: str, code: str) -> None:
    text = expression.replace("\n", "\\n")
    found = faults((REDUCTION, text), more=MORE)
    assert found == [("formula.reduction", code)]


@pytest.mark.parametrize("steps", [3, 30])
def test_it_refuses_units_whose_conversion_would_fill_the_memory(steps: int) -> None:
    """Each step to the 32nd power of the one before: 1,000 to the power of 32 to that of 30."""
    grown = 'a0 = "distance"\nb0 = "other"\n'
    for step in range(1, steps):
        for name in "ab":
            power = f"{name}{step - 1}"
            for _ in range(5):
                power = f"({power} * {power})"
            grown += f'{name}{step} = "{power}"\n'
    last = f'reduction = "{REDUCTION} if a{steps - 1} > b{steps - 1} else 0 * g'
    found = faults((f'reduction = "{REDUCTION}', grown + last), more=MORE)
    assert {("formula.a1", "unit.too_high"), ("formula.b1", "unit.too_high")} <= set(found)


def test_it_says_where_a_condition_is_not_one() -> None:
    rule = ("distance >= 0.5 * km", "distance + 0.5 * km")
    assert faults(rule) == [("eligibility[0].require", "formula.not_a_condition")]


def test_it_names_its_steps_in_order_and_in_their_own_units() -> None:
    document = loaded(('reduction = "distance', 'half = "distance / 2"\nreduction = "half'))
    assert milligrams(document, distance="10") == 158_500
    assert faults(('reduction = "distance', 'a = "b"\nb = "distance"\nreduction = "b')) == [
        ("formula.a", "name.unknown")
    ]


def test_it_answers_by_value_when_the_arithmetic_has_no_answer() -> None:
    by_other = formula("distance / other * g")
    assert milligrams(by_other, distance="10", other="0") == "formula.division_by_zero"
    assert milligrams(by_other, distance="0.5", other="0") == "formula.division_by_zero"
    big = "other * other * other / (m * m * m)"
    steps = "".join(f"s{n} = 's{n - 1} * s{n - 1}'\n" for n in range(1, 12))
    grown = loaded(
        (f'reduction = "{REDUCTION}"', f"s0 = '{big}'\n{steps}reduction = 's11 * g'"), more=MORE
    )
    assert milligrams(grown, distance="10", other="1000000") == "formula.overflow"
    assert milligrams(grown, distance="10", other="1") == 1_000


def test_it_compares_a_zero_by_zero_division_with_nothing() -> None:
    document = formula("(distance - 10 * km) / (other - 2000 * m) * g")
    assert milligrams(document, distance="10") == "formula.overflow"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("g/pkm", "g/(km*person)"),
        ("kg CO2e / kg", "kgCO2e/kg"),
        ("kgCO₂/kWh", "kgCO2e/kWh"),
        ("g/(person*km)", "g/(km*person)"),
        ("kW*h", "h*kW"),
        ("m^2·m", "m^3"),
        ("1/m^2", "1/m^2"),
        ("1", "1"),
        ("ride", "trip"),
    ],
)
def test_it_reads_units(text: str, shown: str) -> None:
    assert str(parse_unit(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["", "furlong", "km/", "(km", "km)", "km**2", "km^9", "km?", "k" * 50, "µg", "/km", "()"],
)
def test_it_knows_no_other_units(text: str) -> None:
    with pytest.raises(UnknownUnit):
        parse_unit(text)


def test_it_converts_exactly() -> None:
    assert conversion(parse_unit("kWh"), parse_unit("GJ")) == Fraction(9, 2500)
    assert parse_unit("kWh").has_dimension_of(parse_unit("kW*h"))
    assert not parse_unit("trip").has_dimension_of(NO_UNIT)


def test_it_reads_only_plain_numbers() -> None:
    assert number("-3.50") == Decimal("-3.50")
    assert number(12) == Decimal(12)
    for raw in ["1e3", "٣", "1_0", " 1", "", True, None, 1.5, "9" * 19, b"1"]:
        with pytest.raises(ValueError):  # noqa: PT011 -- it says nothing but the value
            number(raw)


def test_it_knows_which_fractions_end() -> None:
    assert terminating(Fraction(1, 40)) == Decimal("0.025")
    assert terminating(Fraction(1, 7)) is None


def test_it_folds_constants_that_have_no_end() -> None:
    assert milligrams(formula("max(1 * g / 3, distance * 0 * g / km)"), distance="10") == 333
    assert milligrams(formula("distance * 2 / 7 * g / km"), distance="10") == 2_857
