"""The rules of a document: eligibility, caps, evidence, clauses, ceilings, history, examples."""

from typing import Final

from .document import (
    Ceiling,
    Clause,
    EvidenceRule,
    Example,
    History,
    Input,
    Rule,
    Source,
    Step,
    Text,
)
from .places import Path
from .quantities import mass_mg
from .reading import Raw, Reader
from .sections import ANY, REASON
from .units import UnknownUnit, parse_unit
from .words import Evidence, Grade, Status

_WINDOW_DAYS_MAX: Final = 366


def eligibility(reader: Reader, raw: Raw) -> tuple[Rule, ...]:
    """Read ``[[eligibility]]``."""
    found: list[Rule] = []
    for path, table in reader.list_of_tables(raw, (), "eligibility"):
        reader.allow(table, path, ("require", "reason", "source"))
        found.append(
            Rule(
                require=reader.text(table, path, "require", like=ANY),
                reason=reader.text(table, path, "reason", like=REASON),
                source=reader.text(table, path, "source", default=""),
            )
        )
    return tuple(found)


def steps(reader: Reader, raw: Raw) -> tuple[Step, ...]:
    """Read ``[formula]``: named steps in order, the last one the reduction."""
    inner = reader.table(raw, (), "formula")
    if not inner:
        reader.fault(("formula",), "key.missing", "formula.reduction is needed")
        return ()
    found = tuple(
        Step(name=name, expression=reader.text(inner, ("formula",), name, like=ANY))
        for name in inner
    )
    if found[-1].name != "reduction":
        reader.fault(("formula",), "formula.no_reduction", "the last step is called reduction")
    return found


def cap(reader: Reader, raw: Raw) -> tuple[int | None, str]:
    """Read ``[caps.person_day]`` as (mg or None, where it comes from)."""
    caps = reader.table(raw, (), "caps")
    reader.allow(caps, ("caps",), ("person_day",))
    if "person_day" not in caps:
        return None, ""
    path: Path = ("caps", "person_day")
    inner = reader.table(caps, ("caps",), "person_day")
    reader.allow(inner, path, ("reduction", "source"))
    written = reader.mass(inner, path, "reduction")
    source = reader.text(inner, path, "source", default="")
    return (int(mass_mg(written)) if written else 0), source


def evidence(reader: Reader, raw: Raw) -> EvidenceRule:
    """Read ``[evidence]``."""
    inner = reader.table(raw, (), "evidence")
    reader.allow(inner, ("evidence",), ("accepts", "grade_b"))
    return EvidenceRule(
        accepts=reader.kinds(inner, ("evidence",), "accepts", Evidence),
        grade_b=reader.kinds(inner, ("evidence",), "grade_b", Evidence),
    )


def clauses(reader: Reader, raw: Raw) -> tuple[Clause, ...]:
    """Read ``[clauses.<name>]``."""
    found: list[Clause] = []
    for path, name, table in reader.tables(raw, (), "clauses"):
        reader.allow(table, path, ("status", "source", "text"))
        found.append(
            Clause(
                name=name,
                status=reader.word(table, path, "status", Status),
                source=reader.text(table, path, "source", like=ANY),
                text=reader.both(table, path, "text"),
            )
        )
    return tuple(found)


def ceilings(reader: Reader, raw: Raw) -> tuple[Ceiling, ...]:
    """Read ``[[ceilings]]``: a document may lower its own grade, never raise it."""
    found: list[Ceiling] = []
    for path, table in reader.list_of_tables(raw, (), "ceilings"):
        reader.allow(table, path, ("grade", "reason"))
        grade = reader.word(table, path, "grade", Grade)
        found.append(Ceiling(grade=grade, reason=reader.both(table, path, "reason")))
    return tuple(found)


def history(reader: Reader, raw: Raw, known: tuple[Input, ...]) -> History | None:
    """Read ``[history]``: which inputs hold the own moving mean and the use."""
    if "history" not in raw:
        return None
    path: Path = ("history",)
    inner = reader.table(raw, (), "history")
    reader.allow(inner, path, ("window_days", "expected", "used"))
    made = History(
        window_days=reader.whole(inner, path, "window_days", top=_WINDOW_DAYS_MAX),
        expected=reader.text(inner, path, "expected"),
        used=reader.text(inner, path, "used"),
    )
    energies = {each.name for each in known if _is_energy(each)}
    for key, name in (("expected", made.expected), ("used", made.used)):
        if name not in energies:
            reader.fault((*path, key), "history.no_energy", f"{name!r} is no input in kWh")
    return made


def examples(reader: Reader, raw: Raw) -> tuple[Example, ...]:
    """Read ``[[examples]]``: what is given, and the mass or the reason that must come out."""
    found: list[Example] = []
    for path, table in reader.list_of_tables(raw, (), "examples"):
        reader.allow(table, path, ("given", "expect", "evidence"))
        given = reader.table(table, path, "given")
        expect, at = reader.table(table, path, "expect"), (*path, "expect")
        reader.allow(expect, at, ("reduction", "ineligible"))
        if len(expect) != 1:
            reader.fault(at, "example.expect", "expect either a reduction or ineligible")
        reason = (
            reader.text(expect, at, "ineligible", like=REASON) if "ineligible" in expect else ""
        )
        found.append(
            Example(
                given={name: reader.text(given, (*path, "given"), name) for name in given},
                evidence=reader.word(
                    table, path, "evidence", Evidence, default=Evidence.PROVIDER_MEASURED
                ),
                reduction=reader.mass(expect, at, "reduction") if "reduction" in expect else None,
                reason=reason or None,
            )
        )
    return tuple(found)


def sources(reader: Reader, raw: Raw) -> tuple[Source, ...]:
    """Read ``[sources.<id>]``."""
    found: list[Source] = []
    for path, name, table in reader.tables(raw, (), "sources"):
        reader.allow(table, path, ("text", "url"))
        text = reader.text(table, path, "text")
        found.append(Source(id=name, text=text, url=reader.text(table, path, "url", default="")))
    return tuple(found)


def notes(reader: Reader, raw: Raw) -> tuple[Text, ...]:
    """Read ``[[notes]]``: what a reader must know and no formula says."""
    found: list[Text] = []
    for path, table in reader.list_of_tables(raw, (), "notes"):
        reader.allow(table, path, ("zh", "en"))
        found.append(Text(reader.text(table, path, "zh"), reader.text(table, path, "en")))
    return tuple(found)


def _is_energy(each: Input) -> bool:
    try:
        return not each.is_choice and parse_unit(each.unit) == parse_unit("kWh")
    except UnknownUnit:
        return False
