"""What a proposal lacks, and what a factor is (提案规则): values in, values out."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from app.staff.voting import Vote, lacks_votes
from methodologies import Document, Settlement

_CODE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
Finding = tuple[str, str, str]
"""(key of the document, code, message)."""


def findings(document: Document, newest: Document | None, today: date) -> list[Finding]:
    """Say what keeps a document that loads from being the next version of its code.

    ``newest`` is the newest published version. A later version takes effect on a day to come:
    acts of days before were recorded, or may yet be told, under the one in force.
    """
    found: list[Finding] = []
    if not set(document.code) <= _CODE:
        found.append(("code", "code.form", "a published code is A to Z, 0 to 9 and hyphens"))
    following = 1 if newest is None else newest.version + 1
    if document.version != following:
        found.append(("version", "version.not_next", f"the next version is {following}"))
    if newest is not None and document.effective <= max(today, newest.effective):
        message = "a later version takes effect after today and after the one before it"
        found.append(("effective", "effective.passed", message))
    if document.until is not None and document.until <= today:
        found.append(("until", "until.passed", "it would end before it begins"))
    return found


def lacks(votes: Iterable[Vote], faults: int) -> list[str]:
    """Say what a revision lacks to be published: experts' votes, or a clean report.

    >>> lacks(["approve", "approve", "reject"], 0), lacks(["approve"], 2)
    ([], ['approvals: 1 of 2', 'faults: 2'])
    """
    return lacks_votes(votes) + ([f"faults: {faults}"] if faults else [])


def is_by_act(document: Document) -> bool:
    """Whether each act has a worth of its own; else a month has, computed from its readings."""
    return document.settlement is not Settlement.BILLING_MONTH


def is_factor_change(old: Document, new: Document) -> bool:
    """Whether two versions differ in nothing but the numbers of their formula.

    Same inputs, conditions, steps, cap, evidence, scenario and mode: an act that counted still
    counts, under the same cap, and only its worth is another.
    """
    return _frame(old) == _frame(new)


def _frame(document: Document) -> tuple[object, ...]:
    return (
        document.code,
        document.scenario,
        document.mode,
        document.settlement,
        document.history,
        [(e.name, e.unit, e.options, e.minimum, e.maximum, e.default) for e in document.inputs],
        [(e.name, e.unit) for e in document.parameters],
        [(e.name, e.by, e.unit, [row.name for row in e.rows]) for e in document.tables],
        [(e.require, e.reason) for e in document.eligibility],
        [(e.name, e.expression) for e in document.steps],
        document.cap_mg,
        document.evidence,
    )
