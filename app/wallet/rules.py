"""What the wallet decides (钱包规则): pure, from an act as it is stored and its document.

Every number here comes out of the engine that quantified the act in the first place. Where it
has nothing to say there is no suggestion: no estimate stands beside a measurement.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, Literal, NamedTuple

from methodologies import (
    CATALOG,
    Document,
    Evidence,
    Field,
    Ineligible,
    Reduction,
    Settlement,
    Working,
    explain,
    quantify,
)

Contest = Literal["too_low", "merged", "ineligible", "withdrawn"]
Span = Literal["month", "week"]
OutcomeWord = Literal["accepted", "merged", "ineligible", "withdrawn"]
GradeWord = Literal["A", "B"]
HintCode = Literal["evidence.measured", "cap.below", "grade.better", "rule.met"]
AnchorState = Literal["none", "pending", "in_epoch", "anchored", "final"]

APPEAL_WINDOW: Final = timedelta(days=60)
"""Two billing months: whoever looks at the wallet once a month has a second look."""
DECISION_TIME: Final = timedelta(days=15)
"""A provider has 7 days to correct, or to produce its record (R6); then the desk has a week."""
EXPIRES_SOON: Final = timedelta(days=30)
CONTESTED: Final[Mapping[Contest, OutcomeWord]] = {
    "too_low": "accepted",
    "merged": "merged",
    "ineligible": "ineligible",
    "withdrawn": "withdrawn",
}
"""The outcome that each ground of an appeal speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAct:
    """What the books keep of an act, as far as working it out again needs it."""

    inputs: Mapping[str, str] | None
    """Plain texts in the inputs' own units; None once the person was erased."""
    evidence: Evidence
    day: date
    raw_mg: int | None
    """Before the day's cap; None where no reduction is recorded [mg]."""
    reason: str | None
    """Why it is ineligible."""


@dataclass(frozen=True, slots=True)
class Reworked:
    """An act worked out again from what is stored."""

    steps: tuple[Working, ...]
    ineligible: Ineligible | None
    mg: int | None
    """What the engine gives now, before the cap [mg]."""
    agrees: bool | None
    """Whether that is what was recorded; None where no amount was."""


class Hint(NamedTuple):
    """What would have earned more, and how much where the engine can say it."""

    code: HintCode
    co2e_mg: int | None
    """More than it has [mg]."""
    about: tuple[str, ...] = ()


class DayPart(NamedTuple):
    """What one methodology came to on one day."""

    day: date
    code: str
    acts: int
    mg: int


@dataclass(slots=True)
class Total:
    """Acts and milligrams of a span, with the milligrams by field."""

    acts: int
    mg: int
    fields: dict[Field, int]


def values_of(document: Document, inputs: Mapping[str, str]) -> dict[str, Decimal | str]:
    """Read stored inputs back: quantities as numbers, choices as words.

    >>> from methodologies import get
    >>> values_of(get("SZ-METRO", 1), {"distance": "10.3"})
    {'distance': Decimal('10.3')}
    """
    words = {each.name for each in document.inputs if each.is_choice}
    return {
        name: text if name in words else Decimal(text)
        for name, text in inputs.items()
        if name in document.input_names
    }


def rework(document: Document, act: StoredAct) -> Reworked | None:
    """Work an act out again; None where its inputs are gone, or where a month settles at once."""
    if act.inputs is None or document.settlement is Settlement.BILLING_MONTH:
        return None
    values, version = values_of(document, act.inputs), _in_force(document, act.day)
    steps = explain(version, values, evidence=act.evidence, occurred_on=act.day)
    if isinstance(steps, Ineligible):
        return Reworked((), steps, None, None if act.raw_mg is None else False)
    answer = quantify(version, values, evidence=act.evidence, occurred_on=act.day)
    assert isinstance(answer, Reduction), answer
    agrees = None if act.raw_mg is None else answer.mg == act.raw_mg
    return Reworked(steps, None, answer.mg, agrees)


def hints(
    document: Document,
    act: StoredAct,
    *,
    outcome: OutcomeWord,
    cut_mg: int,
    grade_reasons: tuple[str, ...],
) -> list[Hint]:
    """Say what would have earned more, from the same engine and the same inputs.

    ``grade_reasons`` are the codes that keep the grade from being better; a better grade adds
    no milligram, it lets the reduction be pooled and sold.
    """
    found: list[Hint] = []
    if act.inputs is not None and act.evidence is Evidence.SELF_DECLARED:
        more = _measured(document, act)
        if more is not None and outcome != "merged":
            found.append(Hint("evidence.measured", more))
    if outcome == "ineligible":
        found += [
            Hint("rule.met", None, (rule.require,))
            for rule in document.eligibility
            if rule.reason == act.reason
        ]
    if cut_mg > 0:
        found.append(Hint("cap.below", cut_mg))
    if outcome == "accepted" and grade_reasons:
        found.append(Hint("grade.better", None, grade_reasons))
    return found


def _in_force(document: Document, day: date) -> Document:
    """Take the version as in force: that it applied was decided when the act was posted.

    A correction of a factor lets a later version apply to earlier acts, and a withdrawal must not
    change what was computed before it.
    """
    return replace(document, effective=min(document.effective, day), until=None)


def _measured(document: Document, act: StoredAct) -> int | None:
    """Give what a provider's measurement of the same amount would have added [mg]."""
    assert act.inputs is not None
    answer = quantify(
        _in_force(document, act.day),
        values_of(document, act.inputs),
        evidence=Evidence.PROVIDER_MEASURED,
        occurred_on=act.day,
    )
    more = 0 if isinstance(answer, Ineligible) else answer.mg - (act.raw_mg or 0)
    return more if more > 0 else None


def cut_by_cap(raw_mg: int | None, granted_mg: int, *, day_raw_mg: int, cap_mg: int) -> int:
    """Give what the cap of the day took from an act that counts [mg].

    >>> cut_by_cap(900, 400, day_raw_mg=3500, cap_mg=3000)
    500
    >>> cut_by_cap(900, 400, day_raw_mg=2900, cap_mg=3000)
    0
    """
    return 0 if raw_mg is None or day_raw_mg <= cap_mg else max(raw_mg - granted_mg, 0)


def field_of(code: str | None) -> Field:
    """Give the field of life of a methodology, by its code.

    >>> field_of("SZ-METRO").value, field_of(None).value
    ('green_travel', 'other')
    """
    return _fields().get(code or "", Field.OTHER)


def by_day(parts: Iterable[DayPart]) -> dict[date, Total]:
    """Add up what methodologies came to, by day."""
    return _summed((part.day, part) for part in parts)


def by_span(parts: Iterable[DayPart], span: Span, since: date, until: date) -> dict[date, Total]:
    """Add up by the first day of each month or week; an empty one is there with zeros."""
    made = {first: Total(0, 0, {}) for first in _firsts(span, since, until)}
    return made | _summed((first_of(span, part.day), part) for part in parts)


def first_of(span: Span, day: date) -> date:
    """Give the first day of the month, or the Monday of the week, that a day is in.

    >>> first_of("month", date(2026, 3, 9)), first_of("week", date(2026, 3, 11))
    (datetime.date(2026, 3, 1), datetime.date(2026, 3, 9))
    """
    return day.replace(day=1) if span == "month" else day - timedelta(days=day.weekday())


def months_before(day: date, months: int) -> date:
    """Give the first day of the month that many months before.

    >>> months_before(date(2026, 3, 31), 0), months_before(date(2026, 3, 31), 3)
    (datetime.date(2026, 3, 1), datetime.date(2025, 12, 1))
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def may_contest(contests: Contest, outcome: OutcomeWord) -> bool:
    """Whether an appeal speaks of the outcome that the act has."""
    return CONTESTED[contests] == outcome


def is_in_time(decided_on: date, today: date) -> bool:
    """Whether an outcome that last changed on ``decided_on`` can still be contested.

    >>> first = date(2026, 1, 1)
    >>> is_in_time(first, date(2026, 3, 2)), is_in_time(first, date(2026, 3, 3))
    (True, False)
    """
    return today - decided_on <= APPEAL_WINDOW


def due(raised_at: datetime) -> datetime:
    """Give the instant by which an appeal is to be decided."""
    return raised_at + DECISION_TIME


def _summed(parts: Iterable[tuple[date, DayPart]]) -> dict[date, Total]:
    made: dict[date, Total] = {}
    for first, part in parts:
        total = made.setdefault(first, Total(0, 0, {}))
        total.acts += part.acts
        total.mg += part.mg
        field = field_of(part.code)
        total.fields[field] = total.fields.get(field, 0) + part.mg
    return made


def _firsts(span: Span, since: date, until: date) -> Iterable[date]:
    first = first_of(span, since)
    while first <= until:
        yield first
        first = first_of(span, first + timedelta(days=31 if span == "month" else 7))


@cache
def _fields() -> Mapping[str, Field]:
    return {document.code: document.field for document in CATALOG.values()}
