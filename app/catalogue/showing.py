"""A document as the wire shows it (方法学展示): what it says, what was decided, what it comes to.

Pure: the day, the decisions and the state of the chain are given.
"""

from collections.abc import Sequence
from datetime import date
from itertools import chain as chained

from app.catalogue.anchors import Anchor
from app.catalogue.errors import FormulaIncomplete, InputsMalformed
from app.catalogue.queries import Register, approval_on
from app.catalogue.schemas import (
    ApprovalOut,
    BothOut,
    CalculationIn,
    CalculationOut,
    ChainOut,
    InputOut,
    MethodologyOut,
    MethodologyRow,
    ParameterOut,
    RuleOut,
    SignatureOut,
    SourceOut,
    State,
    StepOut,
)
from app.catalogue.standings import Standing
from app.kernel.quantities import mass
from methodologies import (
    Assessment,
    BadQuantity,
    Document,
    Evidence,
    Ineligible,
    Parameter,
    assess,
    cap,
    explain,
    methodology_key,
    quantify,
    read_inputs,
)
from methodologies import Reduction as Worth


def state_of(
    document: Document, siblings: Sequence[Document], last_day: date | None, today: date
) -> State:
    """Say how a version stands today; ``siblings`` are all versions of its code."""
    if last_day is not None:
        return "withdrawn"
    if document.effective > today:
        return "not_yet"
    if document.until is not None and document.until < today:
        return "ended"
    place = (document.effective, document.version)
    later = (each for each in siblings if each.effective <= today)
    return "superseded" if any((e.effective, e.version) > place for e in later) else "in_force"


def row_of(document: Document, decided: Register, state: State, today: date) -> MethodologyRow:
    """Show one version in a list."""
    assessed = _assessed(document, decided, Evidence.PROVIDER_MEASURED, today)
    return MethodologyRow(
        code=document.code,
        version=document.version,
        title=BothOut(zh=document.title.zh, en=document.title.en),
        object=document.object,
        field=document.field,
        scenario=document.scenario,
        effective=document.effective,
        until=document.until,
        state=state,
        grade=assessed.grade,
        why=list(assessed.why),
        sha256=document.sha256,
    )


def shown(
    document: Document,
    decided: Register,
    state: State,
    *,
    last_day: date | None,
    withdrawal: str | None,
    chain: ChainOut,
    today: date,
) -> MethodologyOut:
    """Show one version whole."""
    return MethodologyOut(
        **row_of(document, decided, state, today).model_dump(),
        issuer=document.issuer,
        document=document.document,
        region=document.region,
        is_proposal=document.proposal,
        settlement=document.settlement,
        last_day=last_day,
        withdrawal=withdrawal,
        inputs=[
            InputOut(
                name=each.name,
                unit=each.unit,
                options=list(each.options),
                minimum=None if each.is_choice else str(each.minimum),
                maximum=None if each.is_choice else str(each.maximum),
                default=each.default,
            )
            for each in document.inputs
        ],
        parameters=parameters_of(document),
        missing_parameters=list(document.missing_parameters),
        eligibility=[RuleOut(require=e.require, reason=e.reason) for e in document.eligibility],
        formula=[StepOut(name=e.name, expression=e.expression) for e in document.steps],
        cap_person_day=None if document.cap_mg is None else mass(document.cap_mg),
        evidence=list(document.evidence.accepts),
        sources=[SourceOut(id=e.id, text=e.text, url=e.url) for e in document.sources],
        notes=[BothOut(zh=e.zh, en=e.en) for e in document.notes],
        sign_offs=[
            SignatureOut(
                reviewer=each.reviewer,
                name=each.name,
                signed_on=each.signed_on,
                withdrawn_on=each.withdrawn_on,
                holds=each.sign_off.holds(document.sha256, today),
                note=each.note,
            )
            for each in decided.signatures
        ],
        approvals=[ApprovalOut(**each._asdict()) for each in decided.approvals],
        chain=chain,
    )


def chain_of(
    document: Document,
    anchor: Anchor | None,
    seen: Standing | None,
    due: Standing | None,
    *,
    is_production: bool,
) -> ChainOut:
    """Show what the registry has of a version, beside what it is due to have."""
    missing = "awaiting_chain_admin" if is_production else "pending"
    return ChainOut(
        state=missing if anchor is None else "anchored",
        key=methodology_key(document.code, document.version).hex(),
        registry=None if anchor is None else anchor.registry,
        seen_at=None if anchor is None else anchor.seen_at,
        standing=None if anchor is None else seen or "in_force",
        awaited=due,
    )


def parameters_of(document: Document) -> list[ParameterOut]:
    """Show every number of a formula, those of tables by their row."""
    rows = ((f"{table.name}.{row.name}", row) for table in document.tables for row in table.rows)
    alone = ((each.name, each) for each in document.parameters)
    return [_parameter(name, each) for name, each in chained(alone, rows)]


def calculate(
    document: Document, asked: CalculationIn, decided: Register, today: date
) -> CalculationOut:
    """Run a methodology on what somebody would do, with its working.

    Raises:
        FormulaIncomplete: Parameters are missing; it names them.
        InputsMalformed: An input cannot be read, is unknown, absent or out of its bounds.
    """
    name = f"{document.code} {document.version}"
    if document.missing_parameters:
        missing = ", ".join(document.missing_parameters)
        raise FormulaIncomplete(methodology=name, parameters=missing)
    on = asked.occurred_on or today
    try:
        given = read_inputs(document, asked.inputs)
    except BadQuantity as bad:
        raise InputsMalformed(methodology=name, input=str(bad)) from bad
    worth = quantify(document, given, evidence=asked.evidence, occurred_on=on)
    working = explain(document, given, evidence=asked.evidence, occurred_on=on)
    if isinstance(worth, Ineligible) and worth.is_input:
        raise InputsMalformed(methodology=name, reason=worth.reason, input=worth.about)
    mg = worth.mg if isinstance(worth, Worth) else 0
    return CalculationOut(
        code=document.code,
        version=document.version,
        is_eligible=isinstance(worth, Worth),
        reason=worth.reason if isinstance(worth, Ineligible) else "",
        about=worth.about if isinstance(worth, Ineligible) else "",
        grade=_assessed(document, decided, asked.evidence, on).grade,
        reduction=mass(mg),
        counted=mass(cap(document, 0, mg)),
        working=[]
        if isinstance(working, Ineligible)
        else [
            StepOut(name=e.name, expression=e.expression, value=e.value, unit=e.unit)
            for e in working
        ],
        parameters=parameters_of(document),
    )


def _assessed(document: Document, decided: Register, evidence: Evidence, on: date) -> Assessment:
    sign_offs, approvals = decided.decisions()
    return assess(
        document,
        sign_offs=sign_offs,
        approval=approval_on(approvals, on),
        evidence=evidence,
        on=on,
    )


def _parameter(name: str, each: Parameter) -> ParameterOut:
    return ParameterOut(
        name=name,
        value=None if each.value is None else str(each.value),
        unit=each.unit,
        status=each.status,
        source=each.source,
    )
