"""Shadow runs and factor corrections over HTTP (影子运行与系数更正接口)."""

from base64 import b64encode
from typing import Annotated, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.catalogue import FactorCorrection
from app.governance.api import DENIED, KEYED, ProposalId, Proposer
from app.governance.correcting import ask_correction, change_leaf
from app.governance.corrections import CarriedOut, corrected_acts, corrections, find_correction
from app.governance.proposals import find_proposal
from app.governance.runs_schemas import (
    CorrectedActOut,
    CorrectedActPage,
    DifferenceOut,
    FactorCorrectionIn,
    FactorCorrectionList,
    FactorCorrectionOut,
    LargestOut,
    ShadowRunIn,
    ShadowRunList,
    ShadowRunOut,
    SignedOut,
)
from app.governance.scanning import PARTS
from app.governance.shadowing import ask_run, run_of, runs_of
from app.kernel.auth import desk
from app.kernel.clock import now
from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.quantities import mass
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.staff import Approval, ApprovalOut, Asking, answer_asked

router = APIRouter(prefix="/v1", tags=["governance 方法学治理"])

Corrector = Annotated[Principal, desk(Scope.FACTORS_CORRECT)]
Auditor = Annotated[Principal, desk(Scope.AUDIT_READ)]
RunId = Annotated[str, Path(max_length=40, examples=["shr_01k0000000000000000000000a"])]
CorrectionId = Annotated[str, Path(max_length=40, examples=["fcr_01k0000000000000000000000a"])]
RUNS: Final = "/methodology-proposals/{proposal_id}/shadow-runs"
FRESH: Final = {"cache-control": "public, max-age=60", **OPEN}
JSON: Final = "application/json"


@router.post(
    RUNS,
    operation_id="askShadowRun",
    summary="Hold a candidate against live acts 影子运行",
    status_code=202,
    response_model=ShadowRunOut,
    responses=problems(
        **KEYED,
        s404="No such proposal, or no such published version.",
        s409="A newer revision, a faulty candidate, or too many runs wait.",
    ),
)
def post_shadow_run(
    request: Request,
    who: Proposer,
    db: Db,
    proposal_id: ProposalId,
    body: ShadowRunIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; a job goes over the acts of the period, posts nothing, and keeps the differences."""
    at, run, proposal = now(), new_id(), parse_public_id("mpr", proposal_id)

    def deed(session: Session) -> ShadowRunOut:
        asked = ask_run(session, who, proposal, **body.model_dump(), run=run, at=at)
        return _run_out(session, asked)

    return answer_once(request, db, who, idempotency_key, body, deed, 202)


@router.get(
    RUNS,
    operation_id="listShadowRuns",
    summary="List the runs of a proposal 影子运行列表",
    responses=problems(**DENIED, s404="No such proposal."),
)
def list_shadow_runs(_who: Proposer, db: Db, proposal_id: ProposalId) -> ShadowRunList:
    """List the ids of the last 50 runs, the newest first."""
    proposal = db.read(find_proposal, parse_public_id("mpr", proposal_id)).id
    return ShadowRunList(data=[public_id("shr", each) for each in db.read(runs_of, proposal)])


@router.get(
    "/shadow-runs/{run_id}",
    operation_id="getShadowRun",
    summary="Read a run's differences 查看影子运行",
    responses=problems(**DENIED, s404="No such run."),
)
def get_shadow_run(_who: Proposer, db: Db, run_id: RunId) -> ShadowRunOut:
    """Give what the run came to so far, by class, month and provider."""
    return db.read(_run_out, parse_public_id("shr", run_id))


@router.post(
    "/factor-corrections",
    operation_id="askFactorCorrection",
    summary="Ask for the correction of a factor 申请系数更正",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(
        **KEYED,
        s404="No such version.",
        s409="More than numbers differ, or one is open for this version.",
    ),
)
def post_factor_correction(
    request: Request,
    who: Corrector,
    db: Db,
    body: FactorCorrectionIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; once a second person signs, recorded acts of the period are corrected."""
    facts = body.model_dump(exclude={"reason"}).values()

    def asks(session: Session, asking: Asking) -> Approval:
        return ask_correction(session, asking, FactorCorrection(asking.id, *facts))

    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


@router.get(
    "/public/factor-corrections",
    operation_id="listFactorCorrections",
    summary="List corrections of factors 系数更正公示",
    tags=["public 公开"],
    response_model=FactorCorrectionList,
)
def list_factor_corrections(db: Db, keys: Secrets, if_none_match: Known = None) -> Response:
    """List the last 200 corrections with their signed reports; public."""
    found = [_correction_out(each, keys.receipt) for each in db.read(corrections)]
    data = FactorCorrectionList(data=found).model_dump_json().encode()
    return tagged(data, JSON, FRESH, if_none_match)


@router.get(
    "/public/factor-corrections/{correction_id}",
    operation_id="getFactorCorrection",
    summary="Read a correction and its signed report 查看系数更正",
    tags=["public 公开"],
    response_model=FactorCorrectionOut,
    responses=problems(s404="No such correction."),
)
def get_factor_correction(
    db: Db, keys: Secrets, correction_id: CorrectionId, if_none_match: Known = None
) -> Response:
    """Give a correction; its report says totals, counts and the root over the corrected acts."""
    found = db.read(find_correction, parse_public_id("fcr", correction_id))
    data = _correction_out(found, keys.receipt).model_dump_json().encode()
    return tagged(data, JSON, FRESH, if_none_match)


@router.get(
    "/admin/factor-corrections/{correction_id}/acts",
    operation_id="listCorrectedActs",
    summary="List the acts that a correction changed 更正明细",
    responses=problems(
        **DENIED, s404="No such correction.", s422="The cursor is not one of these."
    ),
)
def list_corrected_acts(
    _who: Auditor,
    db: Db,
    correction_id: CorrectionId,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> CorrectedActPage:
    """List acts and leaves in the order in which the report's root is over them."""
    (after,) = read_cursor(cursor, UUID) if cursor else (UUID(int=0),)
    correction = parse_public_id("fcr", correction_id)
    found = db.read(corrected_acts, correction, after=after, limit=limit + 1)
    return page_of(CorrectedActPage, found, limit, _corrected_out, lambda last: (last[0],))


def _corrected_out(changed: tuple[UUID, int]) -> CorrectedActOut:
    act, mg = changed
    leaf = change_leaf(act, mg).hex()
    return CorrectedActOut(activity=public_id("act", act), change_mg=mg, leaf=leaf)


def _run_out(session: Session, run: UUID | None) -> ShadowRunOut:
    asked, found = run_of(session, run)
    return ShadowRunOut(
        id=public_id("shr", asked.id),
        proposal=public_id("mpr", asked.proposal),
        revision=asked.revision,
        against=asked.against,
        since=asked.since,
        until=asked.until,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
        state="done" if found.parts == PARTS else "running",
        parts_done=found.parts,
        is_cut=found.is_cut,
        differences=[
            DifferenceOut(
                asset_class=asset_class,
                month=month,
                provider=provider,
                acts=row.acts,
                forgotten=row.forgotten,
                changed=row.changed,
                old=mass(row.old_mg),
                new=mass(row.new_mg),
            )
            for (asset_class, month, provider), row in sorted(found.rows.items())
        ],
        largest=[
            LargestOut(
                asset_class=each.of[0],
                month=each.of[1],
                provider=each.of[2],
                old=mass(each.old_mg),
                new=mass(each.new_mg),
            )
            for each in found.largest
        ],
    )


def _correction_out(found: CarriedOut, key: Ed25519PrivateKey) -> FactorCorrectionOut:
    report = None
    if found.statement is not None and found.signature is not None:
        public = key.public_key().public_bytes_raw()
        report = SignedOut(
            statement=bytes(found.statement).decode(),
            signature=b64encode(found.signature).decode(),
            public_key=b64encode(public).decode(),
        )
    told = found._asdict()
    for hidden in ("id", "statement", "signature", "parts"):
        del told[hidden]
    return FactorCorrectionOut(
        **told,
        id=public_id("fcr", found.id),
        state="running" if report is None else "done",
        parts_done=found.parts,
        report=report,
    )
