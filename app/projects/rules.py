"""What a project lacks, and what a day of it came to (减排项目规则): values in, values out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal
from typing import Final, NamedTuple

from methodologies import (
    Document,
    Evidence,
    Ineligible,
    Object,
    Settlement,
    quantify,
    read_inputs,
)

YEAR: Final = "year"
DAYS_A_YEAR: Final = 365
CREDITING_MAX: Final = timedelta(days=25 * 366)
PERIOD_MAX: Final = timedelta(days=366)
AGE_PLACES: Final = Decimal("0.001")
EVIDENCE: Final = Evidence.DOCUMENT_PROVED
"""An owner's readings with their papers, which a verifier has looked at."""
EXCLUDED: Final = "project.excluded"
MISSING: Final = "reading.missing"
GRADE_C: Final = "grade.c"

Quantities = Mapping[str, str]


class Reading(NamedTuple):
    """What one meter told of one day (监测读数), in each input's own unit."""

    day: date
    meter: int
    inputs: Quantities


class Exclusion(NamedTuple):
    """Days that do not count, of one meter or of all (排除)."""

    first: date
    last: date
    meter: int | None

    def covers(self, day: date, meter: int | None) -> bool:
        """Say whether a meter's day, or the project's, does not count."""
        return self.first <= day <= self.last and self.meter in {None, meter}


class Worth(NamedTuple):
    """What one day came to, and from what (每日核算)."""

    day: date
    inputs: Quantities | None
    mg: int
    reason: str
    """Why nothing counts; empty where something does."""


class Terms(NamedTuple):
    """What of a registered design each day is computed from."""

    started_on: date
    quantities: Quantities
    """Read already: in each input's own unit."""
    declarations: Mapping[str, bool]


def is_fit(document: Document) -> bool:
    """Say whether a project can be computed under a methodology at all."""
    is_project = document.object is Object.PROJECT and document.settlement is Settlement.DAY
    return is_project and not document.missing_parameters


def ages(document: Document) -> list[str]:
    """Name the inputs that count years since the project began."""
    return [each.name for each in document.inputs if each.unit == YEAR]


def told_inputs(document: Document, terms: Terms) -> list[str]:
    """Name the inputs that each reading has to tell: neither fixed, declared nor counted."""
    known = {*terms.quantities, *terms.declarations, *ages(document)}
    return [name for name in document.input_names if name not in known]


def fixed_quantities(document: Document, written: Quantities) -> Quantities:
    """Read what is the same every day, each into its input's own unit.

    Raises:
        BadQuantity: One of them is no quantity, of another unit, or no input.
    """
    return {name: _plain(value) for name, value in read_inputs(document, written).items()}


def design_faults(document: Document, terms: Terms, since: date, until: date) -> list[str]:
    """Say what keeps a design from being one under its methodology."""
    found: list[str] = []
    if until < since or until - since > CREDITING_MAX:
        found.append("crediting: from its first day to its last, at most 25 years")
    if terms.started_on > until:
        found.append("started_on: the project begins before its crediting period ends")
    told = told_inputs(document, terms)
    choices = {each.name for each in document.inputs if each.is_choice}
    unknown = {*terms.quantities, *terms.declarations}.difference(document.input_names)
    found += [f"quantities: {name} is no input" for name in sorted(unknown)]
    found += [f"declarations: {name} is not declared" for name in told if name in choices]
    if not set(told) - choices:
        found.append("quantities: nothing is left for a reading to tell")
    return found


def reading_faults(
    document: Document,
    terms: Terms,
    readings: Iterable[Reading],
    first: date,
    last: date,
    meters: int,
) -> list[str]:
    """Say what keeps readings from being those of a project in a period."""
    asked, seen, found = set(told_inputs(document, terms)), set[tuple[date, int]](), list[str]()
    for place, each in enumerate(readings):
        if not first <= each.day <= last:
            found.append(f"readings.{place}.day: outside the period")
        if each.meter >= meters:
            found.append(f"readings.{place}.meter: the design has {meters}")
        if set(each.inputs) != asked:
            found.append(f"readings.{place}.inputs: asked are {', '.join(sorted(asked))}")
        if (each.day, each.meter) in seen:
            found.append(f"readings.{place}: told before")
        seen.add((each.day, each.meter))
    return found


def age_on(started_on: date, day: date) -> str:
    """Count years since a project began, rounded up to a thousandth.

    >>> age_on(date(2024, 1, 1), date(2025, 1, 1)), age_on(date(2024, 1, 2), date(2024, 1, 1))
    ('1.003', '0')
    >>> age_on(date(2024, 1, 1), date(2024, 1, 1) + timedelta(days=3650))
    '10'
    """
    years = Decimal(max((day - started_on).days, 0)) / DAYS_A_YEAR
    return _plain(years.quantize(AGE_PLACES, ROUND_UP).normalize())


def worth_of_days(
    choose: Callable[[date], tuple[Document | None, str]],
    terms: Terms,
    readings: Sequence[Reading],
    exclusions: Sequence[Exclusion],
    days: Iterable[date],
) -> list[Worth]:
    """Compute what each day of a period comes to; all meters of a day are one amount.

    ``choose`` gives the document in force on a day, and why nothing accrues on it.
    """
    told: dict[date, list[Reading]] = {}
    for each in readings:
        told.setdefault(each.day, []).append(each)
    return [_worth(*choose(day), terms, told.get(day, ()), exclusions, day) for day in days]


def _worth(
    document: Document | None,
    refusal: str,
    terms: Terms,
    told: Sequence[Reading],
    exclusions: Sequence[Exclusion],
    day: date,
) -> Worth:
    if any(each.meter is None and each.covers(day, None) for each in exclusions):
        return Worth(day, None, 0, EXCLUDED)
    if not told:
        return Worth(day, None, 0, MISSING)
    kept = [each for each in told if not any(out.covers(day, each.meter) for out in exclusions)]
    if not kept:
        return Worth(day, None, 0, EXCLUDED)
    if document is None or refusal:
        return Worth(day, None, 0, refusal)
    inputs = inputs_of(document, terms, kept, day)
    answer = quantify(document, inputs, evidence=EVIDENCE, occurred_on=day)
    if isinstance(answer, Ineligible):
        return Worth(day, inputs, 0, answer.reason)
    return Worth(day, inputs, answer.mg, "")


def inputs_of(
    document: Document, terms: Terms, readings: Sequence[Reading], day: date
) -> Quantities:
    """Put a day's inputs together: what is fixed, declared and counted, and the meters' sum."""
    declared = {name: "yes" if said else "no" for name, said in terms.declarations.items()}
    summed = {
        name: _plain(sum((Decimal(each.inputs[name]) for each in readings), Decimal(0)))
        for name in told_inputs(document, terms)
    }
    counted = dict.fromkeys(ages(document), age_on(terms.started_on, day))
    whole = {**declared, **counted, **terms.quantities, **summed}
    return {name: whole[name] for name in document.input_names}


def _plain(value: Decimal | str | None) -> str:
    """Write a number with all its digits, as an input takes it."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
