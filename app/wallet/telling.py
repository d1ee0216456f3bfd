"""An act told whole (行为说明): what the books, the document and the engine say, put together.

The document is the very version that the act was computed with, and the working comes out of
the engine again, from the stored inputs; nothing here is remembered that could be recomputed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.activities import FACTOR
from app.activities.preparing import EVIDENCE_RANK
from app.catalogue import VersionUnknown, approval_on, corrections_of, decisions_on, document_of
from app.kernel.ids import public_id
from app.kernel.quantities import mass
from app.wallet import act_schemas as wire
from app.wallet.acts import ActDetail, LogPlace, act_of
from app.wallet.errors import ActivityUnknown
from app.wallet.rules import AnchorState, Reworked, StoredAct, cut_by_cap, hints, rework
from app.wallet.schemas import month_text, shown_act
from methodologies import (
    Approval,
    Assessment,
    Document,
    Grade,
    Parameter,
    Settlement,
    SignOff,
    assess,
)

EVIDENCE: Final = {rank: evidence for evidence, rank in EVIDENCE_RANK.items()}


def told_act(session: Session, bucket: int, owner: int, activity: UUID) -> wire.ActDetailOut:
    """Tell one act of an owner whole; six statements.

    Raises:
        ActivityUnknown: They have no such act, whoever else may have it.
    """
    detail = act_of(session, bucket, owner, activity)
    if detail is None:
        raise ActivityUnknown
    document = document_of_act(session, detail)
    if document is None:
        return told(detail, None)
    decided = decisions_on(session, document)
    return told(
        detail,
        document,
        sign_offs=decided.sign_offs,
        approval=approval_on(decided.approvals, detail.act.occurred_on),
        replacements=_replacements(session, detail, document),
    )


def told(
    detail: ActDetail,
    document: Document | None,
    *,
    sign_offs: tuple[SignOff, ...] = (),
    approval: Approval | None = None,
    replacements: Mapping[UUID, Document] | None = None,
) -> wire.ActDetailOut:
    """Tell an act whole.

    ``document`` is None where no version was in force on its day; ``replacements`` are the
    versions that corrections of a factor put in its place, by cause.
    """
    act, stored = detail.act, stored_act(detail)
    graded = document and assess(
        document,
        sign_offs=sign_offs,
        approval=approval,
        evidence=stored.evidence,
        on=act.occurred_on,
    )
    restated = [*_restated(detail, document, stored, replacements or {})]
    latest = restated[-1][0] if restated else stored
    cut_mg, month = _cut(detail, latest), _month(detail, document)
    return wire.ActDetailOut(
        **dict(shown_act(act)),
        evidence=stored.evidence,
        basis=detail.basis,
        document=document and _document(document),
        inputs=_inputs(detail.inputs, document),
        parameters=[] if document is None else list(_parameters(document, latest.inputs or {})),
        working=_working(document and rework(document, stored), act.raw_mg),
        month=month,
        grading=_grading(detail, graded, by_month=month is not None),
        cap=_cap(detail, document, cut_mg),
        merges=list(_merges(detail)),
        restated=[each for _, each in restated],
        corrections=[
            wire.CorrectionOut(
                id=public_id("trf", each.transfer),
                on=each.recorded_on,
                change=mass(each.mg),
                corrects=each.corrects and public_id("trf", each.corrects),
            )
            for each in detail.changes
        ],
        hints=_hints(detail, document, latest, graded, cut_mg),
        replay=_replay(detail),
        anchoring=list(_anchoring(detail)),
    )


def stored_act(detail: ActDetail) -> StoredAct:
    """Give what working an act out again needs, as it was first told."""
    act = detail.act
    return StoredAct(
        inputs=detail.inputs,
        evidence=EVIDENCE[act.evidence],
        day=act.occurred_on,
        raw_mg=None if act.asset is None else act.raw_mg,
        reason=act.reason if act.outcome == "ineligible" else None,
    )


def document_of_act(session: Session, detail: ActDetail) -> Document | None:
    """Give the very version; None where none was in force, or this process has no copy of it."""
    act = detail.act
    if act.methodology is None or act.version is None:
        return None
    try:
        return document_of(session, act.methodology, act.version)
    except VersionUnknown:
        return None


def _replacements(session: Session, detail: ActDetail, document: Document) -> dict[UUID, Document]:
    """Give the versions that corrections of a factor put in place of the act's own."""
    causes = {each.cause for each in detail.corrections if each.reason == FACTOR}
    if not causes:
        return {}
    return {
        each.id: document_of(session, each.code, each.replacement)
        for each in corrections_of(session, document.code)
        if each.id in causes
    }


def _restated(
    detail: ActDetail,
    document: Document | None,
    stored: StoredAct,
    replacements: Mapping[UUID, Document],
) -> Iterator[tuple[StoredAct, wire.RestatedOut]]:
    """Follow the corrections in their order: each with the act as it stands from then on."""
    act, version = stored, document
    for each in detail.corrections:
        inputs = act.inputs if each.inputs is None else each.inputs
        raw_mg = act.raw_mg if each.is_withdrawn else each.raw_mg
        act = replace(act, inputs=inputs, raw_mg=raw_mg)
        version = replacements.get(each.cause, version)
        worked = None if version is None or each.is_withdrawn else rework(version, act)
        yield (
            act,
            wire.RestatedOut(
                on=each.recorded_on,
                reason=each.reason,
                withdrawn=each.is_withdrawn,
                change=mass(each.change_mg),
                version=None if version is None else version.version,
                inputs=_inputs(each.inputs, version),
                working=_working(worked, raw_mg),
            ),
        )


def _cut(detail: ActDetail, latest: StoredAct) -> int:
    act = detail.act
    if act.outcome != "accepted" or detail.day_cap_mg is None or detail.day_raw_mg is None:
        return 0
    day_raw_mg, cap_mg = detail.day_raw_mg, detail.day_cap_mg
    return cut_by_cap(latest.raw_mg, act.granted_mg, day_raw_mg=day_raw_mg, cap_mg=cap_mg)


def _document(document: Document) -> wire.DocumentOut:
    return wire.DocumentOut(
        code=document.code,
        version=document.version,
        title_zh=document.title.zh,
        title_en=document.title.en,
        issuer=document.issuer,
        document=document.document,
        effective=document.effective,
        proposal=document.proposal,
        sha256=document.sha256,
        link=f"/v1/methodologies/{document.code}/{document.version}",
    )


def _inputs(
    inputs: Mapping[str, str] | None, document: Document | None
) -> list[wire.InputOut] | None:
    if inputs is None:
        return None
    known = {} if document is None else {each.name: each for each in document.inputs}
    made: list[wire.InputOut] = []
    for name, value in inputs.items():
        each = known.get(name)
        words = None if each is None else each.help
        made.append(
            wire.InputOut(
                name=name,
                value=value,
                unit="" if each is None else each.unit,
                help_zh="" if words is None else words.zh,
                help_en="" if words is None else words.en,
            )
        )
    return made


def _parameters(document: Document, inputs: Mapping[str, str]) -> Iterator[wire.ParameterOut]:
    """Give the constants that this act met: of a table, the row that its words choose."""
    used = [(each.name, each) for each in document.parameters]
    defaults = {each.name: each.default for each in document.inputs}
    for table in document.tables:
        word = inputs.get(table.by) or defaults.get(table.by)
        used += [(f"{table.name}.{row.name}", row) for row in table.rows if row.name == word]
    sources = {each.id: each for each in document.sources}
    for name, each in used:
        source = sources.get(each.source)
        yield wire.ParameterOut(
            name=name,
            value=_number(each),
            unit=each.unit,
            status=each.status,
            source=each.source if source is None else source.text,
            url="" if source is None else source.url,
            derived=each.derived,
        )


def _number(parameter: Parameter) -> str | None:
    return None if parameter.value is None else f"{parameter.value:f}"


def _working(found: Reworked | None, recorded_mg: int | None) -> wire.WorkingOut | None:
    if found is None:
        return None
    return wire.WorkingOut(
        steps=[
            wire.StepOut(
                name=each.name, expression=each.expression, value=each.value, unit=each.unit
            )
            for each in found.steps
        ],
        ineligible=found.ineligible and found.ineligible.reason,
        computed=None if found.mg is None else mass(found.mg),
        recorded=None if recorded_mg is None else mass(recorded_mg),
        agrees=found.agrees,
    )


def _month(detail: ActDetail, document: Document | None) -> wire.MonthOut | None:
    if document is None or document.settlement is not Settlement.BILLING_MONTH:
        return None
    settled = detail.month_mg is not None
    return wire.MonthOut(
        month=month_text(detail.act.occurred_on),
        state="settled" if settled else "open",
        days=detail.month_days,
        reduction=None if detail.month_mg is None else mass(detail.month_mg),
    )


def _grading(detail: ActDetail, graded: Assessment | None, *, by_month: bool) -> wire.GradeOut:
    counts_as = None if detail.act.grade is None else Grade(detail.act.grade)
    if counts_as is None and detail.act.outcome != "ineligible" and not by_month:
        counts_as = Grade.C
    return wire.GradeOut(
        grade=counts_as,
        why=[] if graded is None else list(graded.why),
        today=None if graded is None else graded.grade,
    )


def _cap(detail: ActDetail, document: Document | None, cut_mg: int) -> wire.CapOut | None:
    if detail.day_cap_mg is None or detail.day_raw_mg is None:
        return None
    sources = {} if document is None else {each.id: each.text for each in document.sources}
    source = "" if document is None else document.cap_source
    return wire.CapOut(
        limit=mass(detail.day_cap_mg),
        day=mass(detail.day_raw_mg),
        cut=mass(cut_mg),
        source=sources.get(source, source),
    )


def _merges(detail: ActDetail) -> Iterator[wire.MergeOut]:
    mine = detail.act.id
    for each in detail.merges:
        other = each.counted if each.activity == mine else each.activity
        yield wire.MergeOut(
            activity=public_id("act", other or mine),
            provider=each.provider,
            reason=each.reason,
            on=each.recorded_on,
            this_counts=each.activity != mine or each.counted is None,
        )


def _hints(
    detail: ActDetail,
    document: Document | None,
    stored: StoredAct,
    graded: Assessment | None,
    cut_mg: int,
) -> list[wire.HintOut]:
    if document is None or document.program is None:
        return []
    why = () if graded is None else graded.why
    outcome = detail.act.outcome
    found = hints(document, stored, outcome=outcome, cut_mg=cut_mg, grade_reasons=why)
    return [
        wire.HintOut(
            code=each.code,
            more=None if each.co2e_mg is None else mass(each.co2e_mg),
            about=list(each.about),
        )
        for each in found
    ]


def _replay(detail: ActDetail) -> wire.ReplayOut | None:
    if detail.source_occurred_at is None and detail.place is None:
        return None
    return wire.ReplayOut(source_occurred_at=detail.source_occurred_at, place=detail.place)


def _anchoring(detail: ActDetail) -> Iterator[wire.AnchorOut]:
    """Say where each transfer of the act stands; the first has the id of the act."""
    places = {each.transfer: each for each in detail.places}
    for transfer in _transfers(detail):
        place = places.get(transfer)
        yield wire.AnchorOut(
            transfer=public_id("trf", transfer),
            state=_state(place),
            epoch=place and place.epoch,
            log_index=None if place is None else place.log_index,
            link=place and f"/v1/public/epochs/{place.epoch}",
        )


def _transfers(detail: ActDetail) -> Iterable[UUID]:
    first_mg = detail.act.granted_mg - sum(each.mg for each in detail.changes)
    return [*([detail.act.id] if first_mg else []), *(each.transfer for each in detail.changes)]


def _state(place: LogPlace | None) -> AnchorState:
    if place is None:
        return "pending"
    if not place.is_anchored:
        return "in_epoch"
    return "final" if place.is_final else "anchored"
