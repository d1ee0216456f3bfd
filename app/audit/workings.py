"""Workings, audited (计算复核): every recorded amount, worked out again from the stored inputs.

The amount before the cap is a pure function of inputs, evidence and document, so whoever edits one
of them is found here even where every sum still holds. Acts whose inputs were erased, or whose
version this auditor has no copy of, cannot be worked out; they are counted.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.activities.preparing import EVIDENCE_RANK
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.catalogue import library_over
from app.kernel.db import Connection
from methodologies import Document, Ineligible, quantify_many

AT_ONCE: Final = 10_000
_EVIDENCE: Final = {rank: evidence for evidence, rank in EVIDENCE_RANK.items()}
_ACTS: Final = """
select a.id, v.code, v.version, a.evidence, a.occurred_on, a.raw_mg, a.inputs
  from activity a left join methodology_version v on v.id = a.methodology
 where a.asset is not null"""


class _Recorded(NamedTuple):
    id: UUID
    code: str | None
    version: int | None
    evidence: int
    day: date
    raw_mg: int
    inputs: Mapping[str, str] | None


def check_workings(connection: Connection, sheet: Sheet) -> None:
    """Work every act out again that recorded a reduction."""
    documents = {
        # That it was in force was decided when it was posted; a withdrawal changes nothing before.
        key: replace(document, effective=date.min, until=None)
        for key, document in library_over(connection).items()
    }
    waiting: dict[tuple[str, int], list[_Recorded]] = defaultdict(list)
    for act in stream(connection, _Recorded, _ACTS):
        key = (act.code or "", act.version or 0)
        if act.inputs is None or key not in documents:
            sheet.checked["workings_unknown"] += 1
            continue
        waiting[key].append(act)
        if len(waiting[key]) >= AT_ONCE:
            _compare(documents[key], waiting.pop(key), sheet)
    for key, acts in waiting.items():
        _compare(documents[key], acts, sheet)


def _compare(document: Document, acts: Sequence[_Recorded], sheet: Sheet) -> None:
    names = document.input_names
    rows = (
        ([(act.inputs or {}).get(name) for name in names], _EVIDENCE[act.evidence], act.day)
        for act in acts
    )
    for act, answer in zip(acts, quantify_many(document, rows), strict=True):
        if answer != act.raw_mg:
            gives = answer.reason if isinstance(answer, Ineligible) else f"{answer} mg"
            told = f"{document.code}/{document.version} gives {gives}, recorded is {act.raw_mg} mg"
            sheet.find(Kind.ACT, f"act {act.id}", told)
    sheet.checked["workings"] += len(acts)
