"""The report on a proposed document (自动检查报告): what a machine can say before people judge.

Every fault with its place: what the parser finds, examples that give another result, and what
keeps the document from being the next version. Beside them the missing parameters, the grade it
could reach, and how it differs from the version before it. A function of the text, of what is
published, and of the day.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from difflib import unified_diff
from typing import Final, NamedTuple

from app.governance.rules import findings
from methodologies import (
    Approval,
    Assessment,
    Document,
    DocumentFaults,
    Fault,
    Grade,
    SignOff,
    assess,
    lint,
    load,
)
from methodologies.places import scan

DIFF_LINES_MAX: Final = 400
COMPARED_LINES_MAX: Final = 5_000
"""Beyond it two texts are not compared: a document has a few hundred lines."""
HYPOTHETICAL: Final = ("one", "another")


class ChangedNumber(NamedTuple):
    """A parameter that has another value than in the version before."""

    name: str
    old: str | None
    new: str | None


class Report(NamedTuple):
    """What is known of a document without anybody's judgement."""

    document: Document | None
    """None where it does not load."""
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    examples: int
    grade: Grade | None
    """As it stands: nobody signed, nothing is approved."""
    reachable: Grade | None
    """Once two have signed and its scenario is approved."""
    why: tuple[str, ...]
    """What keeps it from being better even then."""
    previous: int | None
    diff: tuple[str, ...]
    changed: tuple[ChangedNumber, ...]


def report_on(
    source: bytes, published: Mapping[int, Document], text_of_newest: bytes, today: date
) -> Report:
    """Look a document over.

    Args:
        source: The proposed text.
        published: The versions of its code, if it says one that is known.
        text_of_newest: The text of the newest of them; empty if there is none.
        today: The day.
    """
    found = lint(source)
    warnings = tuple(each for each in found if each.is_warning)
    faults = tuple(each for each in found if not each.is_warning)
    document = document_in(source)
    if document is None:
        return Report(None, faults, warnings, 0, None, None, (), None, (), ())
    newest = published[max(published)] if published else None
    lines = scan(source.decode("utf-8", "replace"))
    more = tuple(
        Fault(lines.get((key,), 1), key, code, message)
        for key, code, message in findings(document, newest, today)
    )
    best = _best(document)
    return Report(
        document,
        tuple(sorted(faults + more)),
        warnings,
        len(document.examples),
        assess(document, on=document.effective).grade,
        best.grade,
        best.why,
        None if newest is None else newest.version,
        _diff(text_of_newest, source),
        () if newest is None else tuple(_changed(newest, document)),
    )


def document_in(source: bytes) -> Document | None:
    """Give the document of a text; None where it does not load."""
    try:
        return load(source)
    except DocumentFaults:
        return None


def _best(document: Document) -> Assessment:
    on = document.effective
    signed = [SignOff(reviewer=r, sha256=document.sha256, signed_on=on) for r in HYPOTHETICAL]
    approval = Approval(scenario=document.scenario, valid_from=on, valid_until=on)
    return assess(document, sign_offs=signed, approval=approval, on=on)


def _diff(old: bytes, new: bytes) -> tuple[str, ...]:
    before, after = (text.decode("utf-8", "replace").splitlines() for text in (old, new))
    if not before or max(len(before), len(after)) > COMPARED_LINES_MAX:
        return ()
    lines = list(unified_diff(before, after, "published", "proposed", lineterm="", n=2))
    return tuple(lines[:DIFF_LINES_MAX])


def _changed(old: Document, new: Document) -> Iterator[ChangedNumber]:
    before, after = dict(_numbers(old)), dict(_numbers(new))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield ChangedNumber(name, before.get(name), after.get(name))


def _numbers(document: Document) -> Iterator[tuple[str, str]]:
    for each in document.parameters:
        yield each.name, f"{each.value} {each.unit}"
    for table in document.tables:
        for row in table.rows:
            yield f"{table.name}.{row.name}", f"{row.value} {table.unit}"
