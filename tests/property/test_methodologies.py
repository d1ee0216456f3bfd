"""Laws of the methodology engine, over documents and acts that nobody wrote by hand."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from methodologies import (
    CATALOG,
    Document,
    Evidence,
    Ineligible,
    cap,
    explain,
    load,
    quantify,
    quantify_many,
)
from tests.unit.methodologies.documents import METRO, changed, loaded, refusal

DAY = date(2026, 1, 1)
MEASURED = Evidence.PROVIDER_MEASURED
DISTANCES = st.decimals(min_value=0, max_value=100, places=6)
RUNNING = [each for each in CATALOG.values() if each.program]
METRO_DOCUMENT = load(METRO)

WORDS = ["distance", "saving", "km", "g", "passenger", "kg", "min", "max", "true", "0", "1", "0.5"]
SIGNS = [
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    ",",
    "<",
    ">=",
    "==",
    " if ",
    " else ",
    " and ",
    " not ",
    "**",
]
HOSTILE = st.one_of(
    st.lists(st.sampled_from(WORDS + SIGNS), max_size=14).map("".join),
    st.text(max_size=30),
    st.sampled_from(
        ["__import__('os')", "9**9**9", "(" * 300, "x.y", "[0]*9", "lambda: 0", "1e999"]
    ),
)


def mg(document: Document, distance: Decimal, evidence: Evidence = MEASURED) -> int:
    found = quantify(document, {"distance": distance}, evidence=evidence, occurred_on=DAY)
    return 0 if isinstance(found, Ineligible) else found.mg


@given(DISTANCES, DISTANCES)
def test_a_longer_way_never_counts_less(one: Decimal, other: Decimal) -> None:
    near, far = sorted((one, other))
    assert mg(METRO_DOCUMENT, near) <= mg(METRO_DOCUMENT, far)


@given(DISTANCES, st.sampled_from(list(Evidence)))
def test_rounding_never_exceeds_the_exact_value_and_loses_less_than_a_milligram(
    distance: Decimal, evidence: Evidence
) -> None:
    weight = Fraction(1, 2) if evidence is Evidence.SELF_DECLARED else Fraction(1)
    exact = Fraction(distance) * Fraction("31.7") * 1000 * weight
    found = mg(METRO_DOCUMENT, distance, evidence)
    assert found == (int(exact) if distance >= Decimal("0.5") else 0)


@given(DISTANCES, st.integers(1, 99), st.integers(1, 99))
def test_division_rounds_down_once_as_fractions_say(distance: Decimal, up: int, down: int) -> None:
    formula = f"distance * {up} / {down} / 7 * 7 * g / km"
    document = loaded(("distance * passenger * saving", formula))
    exact = Fraction(distance) * up / down * 1000
    assert mg(document, distance) == (int(exact) if distance >= Decimal("0.5") else 0)


@given(st.lists(st.integers(1, 2_000_000), max_size=12).flatmap(
    lambda day: st.tuples(st.just(day), st.permutations(day))
))  # fmt: skip
def test_a_days_total_does_not_depend_on_the_order_of_arrival(
    days: tuple[list[int], list[int]],
) -> None:
    totals: list[int] = []
    for order in days:
        before, total = 0, 0
        for each in order:
            counted = cap(METRO_DOCUMENT, before, each)
            assert 0 <= counted <= each
            total, before = total + counted, before + each
        totals.append(total)
    assert totals[0] == totals[1] == min(1_000_000, sum(days[0]))


@given(st.lists(st.integers(0, 3_000_000), min_size=2, max_size=8))
def test_the_total_of_a_day_only_grows(day: list[int]) -> None:
    sums = [min(1_000_000, sum(day[:n])) for n in range(len(day) + 1)]
    assert all(a <= b for a, b in pairwise(sums))
    assert sums[-1] == sum(cap(METRO_DOCUMENT, sum(day[:n]), each) for n, each in enumerate(day))


@given(st.lists(st.tuples(st.one_of(DISTANCES, st.text(max_size=8), st.none()))))
def test_many_at_once_are_what_they_are_one_by_one(rows: list[tuple[Decimal | str | None]]) -> None:
    together = quantify_many(METRO_DOCUMENT, [(row, MEASURED, DAY) for row in rows])
    for (value,), answer in zip(rows, together, strict=True):
        one = quantify(METRO_DOCUMENT, {"distance": value}, evidence=MEASURED, occurred_on=DAY)
        assert answer == (one if isinstance(one, Ineligible) else one.mg)


@given(st.data())
def test_every_shipped_document_answers_for_any_act(data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(RUNNING))
    values = st.one_of(
        st.none(),
        st.text(max_size=20),
        st.decimals(),
        st.decimals(min_value=-10, max_value=20_000, places=3),
        st.sampled_from([option for each in document.inputs for option in each.options] or ["x"]),
    )
    inputs = {name: data.draw(values) for name in document.input_names}
    evidence = data.draw(st.sampled_from(list(Evidence)))
    found = quantify(document, inputs, evidence=evidence, occurred_on=document.effective)
    lines = explain(document, inputs, evidence=evidence, occurred_on=document.effective)
    if isinstance(found, Ineligible):
        assert lines == found
    else:
        assert found.mg > 0
        assert isinstance(lines, tuple)
        assert lines[-1].value == str(found.mg)


@given(HOSTILE, HOSTILE)
def test_a_hostile_formula_loads_as_arithmetic_or_is_refused_with_its_place(
    require: str, reduction: str
) -> None:
    escaped = [
        text.encode("unicode_escape").decode().replace('"', '\\"') for text in (require, reduction)
    ]
    quoted = [text.replace("\\x", "\\u00") for text in escaped]
    text = changed(
        ("distance >= 0.5 * km", quoted[0]), ("distance * passenger * saving", quoted[1])
    )
    refused = refusal(text)
    if refused is None:
        assert mg(load(text), Decimal(3)) >= 0
    else:
        assert all(fault.line >= 1 and fault.code and fault.message for fault in refused.faults)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_any_bytes_are_refused_with_a_place(source: bytes | str) -> None:
    refused = refusal(source)
    assert refused is not None
    lines = source.count(b"\n") if isinstance(source, bytes) else source.count("\n")
    assert all(1 <= fault.line <= lines + 1 for fault in refused.faults)


@given(st.data())
def test_a_damaged_document_loads_or_is_refused_with_a_place(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(METRO) - 1))
    length = data.draw(st.integers(0, 40))
    put = data.draw(
        st.one_of(st.text(max_size=8), st.sampled_from(["'", '"', "[", "{", "=", "\n", "0"]))
    )
    refused = refusal(METRO[:at] + put + METRO[at + length :])
    assert refused is None or all(str(fault).startswith("line ") for fault in refused.faults)


Junk = int | str | bool | list["Junk"] | dict[str, "Junk"]
JUNK: st.SearchStrategy[Junk] = st.recursive(
    st.one_of(st.integers(), st.text(max_size=5), st.booleans(), st.just("nan"), st.just("inf")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["inputs", "parameters", "tables", "eligibility", "formula", "caps", "evidence", "clauses",
     "ceilings", "history", "examples", "sources", "notes", "title", "version", "effective", "mode",
     "until", "proposal", "settlement", "supersedes", "scenario"]
)  # fmt: skip


@given(st.dictionaries(KEYS, JUNK, max_size=5))
def test_values_of_any_wrong_type_are_refused_with_a_place(tree: dict[str, Junk]) -> None:
    text = "\n".join(f"{key} = {_toml(value)}" for key, value in tree.items())
    refused = refusal(text)
    assert refused is not None
    assert all(fault.line >= 1 for fault in refused.faults)


def _toml(value: Junk) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(each)}' for key, each in value.items())}}}"
    if isinstance(value, str) and value not in {"nan", "inf"}:
        plain = "".join(each for each in value if each.isalnum())
        return f'"{plain}"'
    return str(value)


UNITS = st.sampled_from(
    ["g/pkm", "kg/pkm", "tCO2e/pkm", "g/km", "kWh/pkm", "g/trip", "km", "1", "kg"]
)
MASSES = {"g/pkm", "kg/pkm", "tCO2e/pkm"}


@given(UNITS)
def test_only_units_that_come_out_as_mass_load(unit: str) -> None:
    refused = refusal(changed(("g/pkm", unit)))
    codes = [] if refused is None else [fault.code for fault in refused.faults]
    assert codes == ([] if unit in MASSES else ["unit.not_a_mass"])
