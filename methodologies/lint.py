"""What a reviewer would ask about a document: its faults, and warnings where it loads all the same.

A wrong example is a fault here: the examples are the tests of what the reviewers sign. The rest
are warnings: nothing unused, nothing unsourced, nothing that only looks like CO2e.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_FLOOR
from typing import Final

from .digest import canonical_bytes
from .document import Document, Example, Parameter
from .faults import DocumentFaults, Fault
from .loading import load
from .outcomes import Ineligible
from .places import Path, dotted, line_of, scan
from .quantify import quantify
from .quantities import BadQuantity, mass_mg, parse_quantity, read_inputs
from .sections import NAME
from .units import NAMES, parse_unit

_SOURCE_ID: Final = re.compile(r"[A-Z]{2,8}[0-9]{0,2}")
_SPREAD_MAX: Final = 2
Finding = tuple[Path, str, str]


def lint(source: bytes, name: str = "document.toml") -> tuple[Fault, ...]:
    """Give every fault and warning of a document, in the order of its lines; never raises."""
    try:
        document = load(source, name)
    except DocumentFaults as found:
        return found.faults
    lines = scan(canonical_bytes(source).decode())
    faults = [_fault(lines, found, is_warning=False) for found in _examples(document)]
    warnings = [_fault(lines, found, is_warning=True) for found in _warnings(document)]
    return tuple(sorted([*faults, *warnings]))


def _fault(lines: dict[Path, int], found: Finding, *, is_warning: bool) -> Fault:
    path, code, message = found
    return Fault(line_of(lines, path), dotted(path), code, message, is_warning)


def _examples(document: Document) -> Iterator[Finding]:
    for index, example in enumerate(document.examples):
        expected = example.reason or ""
        if example.reduction is not None:
            expected = f"{int(mass_mg(example.reduction).to_integral_value(ROUND_FLOOR))} mg"
        got = _outcome(document, example)
        if got != expected:
            message = f"gives {got}, not {expected}"
            yield ("examples", index, "expect"), "example.differs", message


def _outcome(document: Document, example: Example) -> str:
    try:
        inputs = read_inputs(document, example.given)
    except BadQuantity as bad:
        return str(bad)
    on = document.effective
    answer = quantify(document, inputs, evidence=example.evidence, occurred_on=on)
    return answer.reason if isinstance(answer, Ineligible) else f"{answer.mg} mg"


def _warnings(document: Document) -> Iterator[Finding]:
    yield from _absent(document)
    yield from _unused(document)
    yield from _sources(document)
    yield from _units(document)
    for path, number in _numbers(document):
        yield from _spread(path, number)


def _absent(document: Document) -> Iterator[Finding]:
    for key in ("issuer", "document"):
        if not getattr(document, key):
            yield (key,), "key.missing", f"say the {key} that the numbers stand in"
    if not document.examples:
        yield ("examples",), "example.none", "a document without an example is not tested"
    if document.cap_mg is not None and not document.cap_source:
        yield ("caps", "person_day"), "cap.unsourced", "say whose rule the cap is"


def _unused(document: Document) -> Iterator[Finding]:
    texts = [rule.require for rule in document.eligibility]
    texts += [step.expression for step in document.steps]
    used = set(re.findall(NAME, " ".join(texts))) | {table.by for table in document.tables}
    if document.history is not None:
        used |= {document.history.expected, document.history.used}
    named = [
        *(("inputs", each.name) for each in document.inputs),
        *(("parameters", each.name) for each in document.parameters),
        *(("tables", each.name) for each in document.tables),
        *(("formula", each.name) for each in document.steps[:-1]),
    ]
    for section, name in named:
        if name not in used:
            yield (section, name), "name.unused", f"nothing uses {name}"
        if name in NAMES:
            yield (section, name), "name.shadows_unit", f"{name} is also a unit"


def _sources(document: Document) -> Iterator[Finding]:
    known = {each.id for each in document.sources}
    quoted = [(path, number.source) for path, number in _numbers(document)]
    quoted += [(("clauses", each.name), each.source) for each in document.clauses]
    quoted += [
        (("eligibility", index), each.source)
        for index, each in enumerate(document.eligibility)
        if each.source
    ]
    for path, source in quoted:
        if _SOURCE_ID.fullmatch(source) and source not in known:
            yield path, "source.undefined", f"no [sources.{source}]"


def _units(document: Document) -> Iterator[Finding]:
    numbers = (*document.parameters, *document.tables)
    tagged = any(parse_unit(each.unit).is_tagged for each in numbers)
    weights = [each for each in document.inputs if each.unit and parse_unit(each.unit).is_material]
    if weights and not tagged:
        message = "tag the units of the factors (kgCO2e/kg): a weight is not a reduction"
        yield ("formula", "reduction"), "reduction.may_be_material", message


def _spread(path: Path, number: Parameter) -> Iterator[Finding]:
    for other in number.spread:
        if number.value is None or not parse_unit(other.unit).has_dimension_of(
            parse_unit(number.unit)
        ):
            continue
        value = parse_quantity(f"{other.value} {other.unit}", to=number.unit)
        low, high = sorted((value, number.value))
        if high > low * _SPREAD_MAX:
            yield path, "parameter.spread", f"{other.source} has {other.value} {other.unit}"


def _numbers(document: Document) -> list[tuple[Path, Parameter]]:
    alone: list[tuple[Path, Parameter]] = [
        (("parameters", each.name), each) for each in document.parameters
    ]
    rows: list[tuple[Path, Parameter]] = [
        (("tables", table.name, "rows", row.name), row)
        for table in document.tables
        for row in table.rows
    ]
    return [*alone, *rows]
