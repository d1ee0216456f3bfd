"""From an activity to milligrams of CO2e: eligibility, formula, evidence weight, one rounding.

The order is fixed: is the version in force, is the evidence accepted, are the inputs in bounds,
do the eligibility rules hold, what does the formula give, times the evidence weight, rounded down
once to whole milligrams. Caps come after, in `caps`, because they need what came before. Every
answer is a value; nothing here raises for what an activity says.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from typing import Final

from .compiling import CONTEXT
from .document import Document
from .outcomes import Ineligible, Reduction, Working
from .words import Evidence

Value = Decimal | str | None
Row = tuple[Sequence[Value], Evidence, date]

WEIGHTS: Final = {
    Evidence.PROVIDER_MEASURED: Decimal(1),
    Evidence.DOCUMENT_PROVED: Decimal(1),
    Evidence.SELF_DECLARED: Decimal("0.5"),
}
"""Self-declared counts half, as in Wuhan 2021: 52 of 105 g, 137 of 274 g."""

MG_MAX: Final = 10**15
"""A thousand tonnes for one act: beyond it the data is wrong, whatever it says [mg]."""

_SHOWN: Final = Decimal("0.000000000001")
_WIDE: Final = Context(prec=10_100)

_NOT_IN_FORCE: Final = Ineligible("methodology.not_in_force")
_NOT_ACCEPTED: Final = Ineligible("evidence.not_accepted")
_NOT_POSITIVE: Final = Ineligible("reduction.not_positive")
_TOO_LARGE: Final = Ineligible("reduction.too_large")


def quantify(
    document: Document, inputs: Mapping[str, Value], *, evidence: Evidence, occurred_on: date
) -> Reduction | Ineligible:
    """Quantify one activity; values are in the unit of their input.

    >>> from datetime import date
    >>> from . import get
    >>> metro, day = get("SZ-METRO", 1), date(2026, 1, 1)
    >>> quantify(metro, {"distance": "10.3"}, evidence=Evidence.PROVIDER_MEASURED, occurred_on=day)
    Reduction(mg=482040)
    """
    if unknown := _unknown(document, inputs):
        return unknown
    values = [inputs.get(name) for name in document.input_names]
    (answer,) = quantify_many(document, [(values, evidence, occurred_on)])
    return Reduction(answer) if isinstance(answer, int) else answer


def quantify_many(document: Document, rows: Iterable[Row]) -> list[int | Ineligible]:
    """Quantify many activities of one methodology: milligrams, or why not, in the same order.

    A row's values stand in the order of ``document.input_names``.
    """
    if document.program is None:
        return [_refusal(document) for _ in rows]
    run, first, last = document.program.run, document.effective, document.until or date.max
    accepts = document.evidence.accepts
    half = WEIGHTS[Evidence.SELF_DECLARED]
    answers: list[int | Ineligible] = []
    with localcontext(CONTEXT):
        for values, evidence, occurred_on in rows:
            if not first <= occurred_on <= last:
                answers.append(_NOT_IN_FORCE)
                continue
            if evidence not in accepts:
                answers.append(_NOT_ACCEPTED)
                continue
            exact = run(*values)
            if not isinstance(exact, Decimal):
                answers.append(exact)
                continue
            mg = int(exact * half if evidence is Evidence.SELF_DECLARED else exact)
            answers.append(mg if 0 < mg <= MG_MAX else _out_of_range(mg))
    return answers


def explain(
    document: Document, inputs: Mapping[str, Value], *, evidence: Evidence, occurred_on: date
) -> tuple[Working, ...] | Ineligible:
    """Show how `quantify` came to its answer, step by step, or why there is none.

    A further line stands for the evidence weight and for the rounding where they change anything.
    """
    answer = quantify(document, inputs, evidence=evidence, occurred_on=occurred_on)
    if isinstance(answer, Ineligible):
        return answer
    assert document.program is not None
    with localcontext(CONTEXT):
        values = document.program.trace(*(inputs.get(name) for name in document.input_names))
        assert not isinstance(values, Ineligible)
        units = [
            "mg" if each is values[-1] else str(unit)
            for each, unit in zip(values, document.program.units, strict=True)
        ]
        lines = [
            Working(step.name, step.expression, _plain(value), unit)
            for step, value, unit in zip(document.steps, values, units, strict=True)
        ]
        weight = WEIGHTS[evidence]
        weighted = values[-1] * weight
        if weight != 1:
            lines.append(Working("weighted", f"reduction * {weight}", _plain(weighted), "mg"))
        if weighted != answer.mg:
            lines.append(Working("rounded_down", f"floor({lines[-1].name})", str(answer.mg), "mg"))
    return tuple(lines)


def _unknown(document: Document, inputs: Mapping[str, Value]) -> Ineligible | None:
    names = document.input_names
    return next((Ineligible("input.unknown", name) for name in inputs if name not in names), None)


def _refusal(document: Document) -> Ineligible:
    return Ineligible("methodology.parameter_missing", ", ".join(document.missing_parameters))


def _out_of_range(mg: int) -> Ineligible:
    return _TOO_LARGE if mg > MG_MAX else _NOT_POSITIVE


def _plain(value: Decimal) -> str:
    """Write a value as people do; digits that are cut off are shown to be."""
    shown = value.quantize(_SHOWN, rounding=ROUND_DOWN, context=_WIDE)
    text = f"{shown:f}".rstrip("0").rstrip(".")
    return text if shown == value else f"{text}…"
