"""What a reviewer is told about a document, and the page that is made of it."""

import pytest

from methodologies import get, lint, load, render
from methodologies.mathml import mathml

from .documents import METRO, changed, loaded


def codes(*changes: tuple[str, str], more: str = "") -> list[str]:
    return [fault.code for fault in lint((changed(*changes) + more).encode())]


def test_it_finds_nothing_in_a_good_document() -> None:
    assert lint(METRO.encode()) == ()


def test_it_gives_the_faults_of_a_document_that_does_not_load() -> None:
    assert codes(('"31.7"', '"x"')) == ["number.malformed"]


def test_it_runs_the_examples() -> None:
    found = lint(changed(("95.1 g", "95.2 g")).encode())
    assert [(each.line, each.code, each.is_warning) for each in found] == [
        (34, "example.differs", False)
    ]
    assert "gives 95100 mg, not 95200 mg" in str(found[0])
    assert codes(('{ reduction = "95.1 g" }', '{ ineligible = "trip.too_short" }')) == [
        "example.differs"
    ]
    assert codes(('"3 km" }', '"3 leagues" }')) == ["example.differs"]
    assert (
        codes(('"3 km" }', '"0.2 km" }'), ('reduction = "95.1 g"', 'ineligible = "trip.too_short"'))
        == []
    )


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('issuer    = "an issuer"', "", "key.missing"),
        (
            '[[examples]]\ngiven  = { distance = "3 km" }\nexpect = { reduction = "95.1 g" }',
            "",
            "example.none",
        ),
        ('source    = "a rule"', "", "cap.unsourced"),
        ("distance * passenger * saving", "distance * 31.7 * g / km", "name.unused"),
        ('reduction = "distance', 'half = "distance"\nreduction = "distance', "name.unused"),
        ('source = "somewhere"', 'source = "ZZ9"', "source.undefined"),
        (
            'reason  = "trip.too_short"',
            'reason  = "trip.too_short"\nsource = "ZZ9"',
            "source.undefined",
        ),
        (
            'source = "somewhere"',
            'source = "s"\nspread = [{ value = "90", unit = "g/pkm", source = "s" }]',
            "parameter.spread",
        ),
    ],
)
def test_it_warns(old: str, new: str, code: str) -> None:
    found = [each for each in lint(changed((old, new)).encode()) if each.is_warning]
    assert [each.code for each in found] == [code]


def test_it_warns_of_unused_inputs_and_of_names_that_are_units() -> None:
    more = '\n[inputs.km]\nunit = "km"\nmax = "1"\ndefault = "1"\n'
    assert codes(more=more) == ["name.shadows_unit"]
    assert codes(more='\n[inputs.x]\nunit = "km"\nmax = "1"\ndefault = "1"\n') == ["name.unused"]


def test_it_warns_where_a_weight_could_pass_for_a_reduction() -> None:
    more = '\n[inputs.weight]\nunit = "kg"\nmax = "9"\ndefault = "1"\n'
    assert codes(
        ("distance * passenger * saving", "distance * passenger * saving + weight * 0"), more=more
    ) == ["reduction.may_be_material"]
    tagged = ("g/pkm", "gCO2e/pkm")
    assert codes(tagged, ('saving"', 'saving * weight / kg"'), more=more) == []
    assert codes(tagged, ("distance * passenger * saving", "weight"), more=more) == [
        "unit.not_a_mass"
    ]


def test_a_spread_of_another_dimension_or_beside_a_missing_value_is_only_shown() -> None:
    spread = 'spread = [{ value = "9", unit = "kWh", source = "s" }]'
    assert codes(('source = "somewhere"', f'source = "s"\n{spread}')) == []
    near = spread.replace('"9", unit = "kWh"', '"30", unit = "g/pkm"')
    assert codes(('source = "somewhere"', f'source = "s"\n{near}')) == []
    missing = ('value  = "31.7"\n', ""), ('"official_text"', '"missing"')
    result = ('reduction = "95.1 g"', 'ineligible = "methodology.parameter_missing"')
    assert codes(*missing, result, ('source = "somewhere"', f'source = "s"\n{near}')) == []


def test_the_names_that_a_history_uses_are_used() -> None:
    more = """
[inputs.expected]
unit = "kWh"
max = "100"
default = "1"
[inputs.used]
unit = "kWh"
max = "100"
default = "1"
[history]
window_days = 7
expected = "expected"
used = "used"
"""
    assert codes(more=more) == []


@pytest.mark.parametrize(
    ("expression", "drawn"),
    [
        ("a / b", "<mfrac><mi>a</mi><mi>b</mi></mfrac>"),
        ("a - (b - c)", "<mo>−</mo><mrow><mo>(</mo>"),
        ("a * (b + c)", "<mo>×</mo><mrow><mo>(</mo>"),
        ("a + b + c", "<mo>+</mo><mi>c</mi>"),
        ("max(a, 0)", "<mi>max</mi><mo>(</mo><mi>a</mi><mo>,</mo><mn>0</mn><mo>)</mo>"),
        ("a if not b < c and d == 'x' else -e", "<mtext> else </mtext>"),
        ("a if b <= c <= d else e", "<mo>≤</mo><mi>c</mi><mo>≤</mo>"),
        ("a if k == 'x<y' else b", "<mtext>x&lt;y</mtext>"),
        ("-(a + b)", "<mo>−</mo><mrow><mo>(</mo>"),
    ],
)
def test_it_draws_formulas(expression: str, drawn: str) -> None:
    assert drawn in mathml("r", expression)


def test_a_page_says_what_the_document_says() -> None:
    page = render(load(METRO))
    for piece in (
        "轨道交通 / Metro",
        "`saving`",
        "31.7",
        "g/pkm",
        "1000 g",
        "trip.too_short",
        "95.1 g",
    ):
        assert piece in page
    assert "## 条款" not in page
    assert render(load(METRO)) == page


def test_a_page_shows_proposal_spread_ceiling_missing_clause_and_noise() -> None:
    plate = render(get("BJ-CLEANPLATE", 1))
    assert "0.19 kg/meal" in plate
    assert "2.4 times" in plate
    assert "a proposal**" in render(get("TP-TRIP", 1))
    assert "**缺失 missing**" in render(get("SHCER-PV", 1))
    assert "refuses to run" in render(get("SHCER-BUS", 1))
    assert "around one unchanging mean" in render(get("TP-HOUSEHOLD", 1))
    assert "2025-08-25" in render(get("WH-BUS", 1))


def test_a_page_keeps_its_tables_whole() -> None:
    document = loaded(('"somewhere"', '"a | b"'))
    assert "a \\| b" in render(document)
