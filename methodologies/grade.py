"""The grade of a reduction (分级): computed from document, sign-offs, approval and evidence.

A needs a project or scenario whose every number and clause is `official_text`, or
`official_quote` signed off by two named reviewers, under an approval that covers the day, with
evidence better than a declaration. B needs every number sourced. Everything else is C. A rule
clause that is missing allows B at most (R11); a proposal of ours allows B at most (R13); daily
settlement against the own history is C, because it pays for noise (R10).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from .document import Document
from .words import Evidence, Grade, Object, Status

_REVIEWERS_MIN: Final = 2
_SOURCED: Final = frozenset({Status.OFFICIAL_TEXT, Status.OFFICIAL_QUOTE, Status.PUBLISHED})


class ParameterMissing(LookupError):  # noqa: N818 -- a state, as house.md §3.8 names them
    """The methodology refuses to run: a number of its formula has no source (参数缺失)."""

    code = "methodology.parameter_missing"

    def __init__(self, parameters: tuple[str, ...]) -> None:
        """Name the parameters."""
        super().__init__(", ".join(parameters))
        self.parameters = parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """One named reviewer's word that the quotations of a document are right (复核签字)."""

    reviewer: str
    sha256: str
    """Of the document that was signed: another text needs another signature."""
    signed_on: date
    withdrawn_on: date | None = None

    def holds(self, sha256: str, on: date) -> bool:
        """Whether it speaks for that text on that day."""
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= on
        return self.sha256 == sha256 and self.signed_on <= on and not withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The interval in which a scenario or project is approved (场景批准), both days included."""

    scenario: str
    valid_from: date
    valid_until: date

    def covers(self, on: date) -> bool:
        """Whether ``on`` lies within it."""
        return self.valid_from <= on <= self.valid_until


@dataclass(frozen=True, slots=True)
class Assessment:
    """A grade with its reasons; without a grade the document refuses to run."""

    grade: Grade | None
    why: tuple[str, ...]
    """What keeps the grade from being better, as codes; empty for A."""


def accrues(approval: Approval | None, on: date) -> bool:
    """Whether anything may accrue: not before a recorded approval begins, nor after its end.

    Without any approval on record a scenario accrues at grade B or C.
    """
    return approval is None or approval.covers(on)


def grade(
    document: Document,
    *,
    sign_offs: Sequence[SignOff] = (),
    approval: Approval | None = None,
    evidence: Evidence = Evidence.PROVIDER_MEASURED,
    on: date,
) -> Grade:
    """Compute the grade of a reduction posted for an act of day ``on``.

    Raises:
        ParameterMissing: The document refuses to run, so there is nothing to grade.
    """
    found = assess(document, sign_offs=sign_offs, approval=approval, evidence=evidence, on=on)
    if found.grade is None:
        raise ParameterMissing(document.missing_parameters)
    return found.grade


def assess(
    document: Document,
    *,
    sign_offs: Sequence[SignOff] = (),
    approval: Approval | None = None,
    evidence: Evidence = Evidence.PROVIDER_MEASURED,
    on: date,
) -> Assessment:
    """Compute the grade and say what keeps it from being better."""
    if document.missing_parameters:
        return Assessment(
            None, tuple(f"parameter.missing:{n}" for n in document.missing_parameters)
        )
    to_c = _reasons_for_c(document, evidence)
    to_b = _reasons_for_b(document, sign_offs, approval, evidence, on)
    if to_c:
        return Assessment(Grade.C, tuple(to_c))
    return Assessment(Grade.B if to_b else Grade.A, tuple(to_b))


def _reasons_for_c(document: Document, evidence: Evidence) -> list[str]:
    reasons = [
        f"source.{status}:{name}" for name, status in _numbers(document) if status not in _SOURCED
    ]
    if evidence not in document.evidence.grade_b:
        reasons.append(f"evidence.{evidence}")
    if document.history is not None and (document.proposal or document.settlement == "day"):
        reasons.append("history.credits_noise")
    if any(each.grade is Grade.C for each in document.ceilings):
        reasons.append("ceiling.c")
    return reasons


def _reasons_for_b(
    document: Document,
    sign_offs: Sequence[SignOff],
    approval: Approval | None,
    evidence: Evidence,
    on: date,
) -> list[str]:
    reasons: list[str] = []
    if document.object is Object.BEHAVIOUR:
        reasons.append("object.behaviour")
    if document.proposal:
        reasons.append("document.proposal")
    statuses = [*_numbers(document), *((each.name, each.status) for each in document.clauses)]
    official = {Status.OFFICIAL_TEXT, Status.OFFICIAL_QUOTE}
    reasons += [f"source.{status}:{name}" for name, status in statuses if status not in official]
    reviewers = {
        each.reviewer.strip().casefold() for each in sign_offs if each.holds(document.sha256, on)
    }
    quoted = any(status is Status.OFFICIAL_QUOTE for _, status in statuses)
    if quoted and len(reviewers - {""}) < _REVIEWERS_MIN:
        reasons.append("sign_off.two_reviewers_needed")
    if approval is None or approval.scenario != document.scenario or not approval.covers(on):
        reasons.append("approval.none_in_force")
    if evidence is Evidence.SELF_DECLARED:
        reasons.append("evidence.self_declared")
    if any(each.grade is Grade.B for each in document.ceilings):
        reasons.append("ceiling.b")
    return reasons


def _numbers(document: Document) -> list[tuple[str, Status]]:
    rows = [
        (f"{table.name}.{row.name}", row.status) for table in document.tables for row in table.rows
    ]
    return [*((each.name, each.status) for each in document.parameters), *rows]
