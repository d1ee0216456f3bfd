"""Lots at the desk (批次池接口): begun and reported on by the operator, looked at by a verifier.

Whoever has a part in a step has a scope of their own: operator, verifier, regulator.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Configuration, Db, Secrets
from app.registry.freezing import begin_lot
from app.registry.issuing import ask_issuance
from app.registry.lots import PREFIX, find_lot
from app.registry.reporting import report_lot
from app.registry.sampling import Party, commit_nonce, draw_sample, reveal_nonce, thaw_lot
from app.registry.schemas import (
    CommitmentIn,
    DecisionIn,
    FindingsIn,
    IssuanceIn,
    LotBriefOut,
    LotIn,
    LotOut,
    OverstatedIn,
    RevealIn,
    SampleOut,
    TermsIn,
    shown_brief,
    shown_sampled,
)
from app.registry.showing import whole_lot
from app.registry.terms import ask_terms
from app.registry.verification import Finding, Record, decide, find, sampled_rows
from app.staff import ApprovalOut, answer_asked

router = APIRouter(prefix="/v1/lots", tags=["registry 登记簿"])
terms = APIRouter(prefix="/v1/admin/issuance-terms", tags=["registry 登记簿"])

Operator = Annotated[Principal, desk(Scope.LOTS_MANAGE)]
Verifier = Annotated[Principal, desk(Scope.LOTS_VERIFY)]
Regulator = Annotated[Principal, desk(Scope.UNITS_ISSUE)]
LotId = Annotated[str, Path(max_length=40, examples=["lot_01k0000000000000000000000a"])]
KEYED: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s422": "Not of the documented form, or the Idempotency-Key was used for another request.",
}
UNKNOWN: Final = "No such lot."
STEP: Final = "The lot is at another step, or this was done."


@terms.post(
    "",
    operation_id="askIssuanceTerms",
    summary="Ask for other terms of issuance 申请设定签发条款",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(**KEYED, s409="Others await their signature."),
)
def post_terms(
    request: Request, who: Operator, db: Db, body: TermsIn, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask; the regulator's signature sets them."""
    asks = partial(ask_terms, buffer_permille=body.buffer_permille, sample_rows=body.sample_rows)
    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


@router.post(
    "",
    operation_id="beginLot",
    summary="Freeze what is pooled of a class 冻结批次池",
    status_code=201,
    response_model=LotBriefOut,
    responses=problems(**KEYED, s409="A lot of this class is open, or no terms are set."),
)
def post_lot(
    request: Request, who: Operator, db: Db, body: LotIn, idempotency_key: IdempotencyKey = None
) -> Response:
    """Begin a lot; a job writes its rows and publishes its root."""
    at, lot = now(), new_id()

    def deed(session: Session) -> LotBriefOut:
        key = bytes.fromhex(body.class_key)
        return shown_brief(begin_lot(session, who.name, key, lot=lot, at=at))

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{lot_id}/report",
    operation_id="reportLot",
    summary="Make the monitoring report of a lot 生成监测报告",
    status_code=201,
    response_model=LotOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409=STEP),
)
def post_report(
    request: Request, who: Operator, db: Db, lot_id: LotId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Report on a frozen lot, once; the report is public."""
    at, lot = now(), parse_public_id(PREFIX, lot_id)

    def deed(session: Session) -> LotOut:
        report_lot(session, who.name, lot, at=at)
        return whole_lot(session, lot)

    return answer_once(request, db, who, idempotency_key, None, deed)


@router.post(
    "/{lot_id}/thawing",
    operation_id="thawLot",
    summary="Thaw a lot of which nobody revealed a nonce 解冻批次池",
    status_code=201,
    response_model=LotOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409=STEP),
)
def post_thawing(
    request: Request, who: Operator, db: Db, lot_id: LotId, idempotency_key: IdempotencyKey = None
) -> Response:
    """End the lot; its milligrams are frozen anew by another one."""
    at, lot = now(), parse_public_id(PREFIX, lot_id)

    def deed(session: Session) -> LotOut:
        thaw_lot(session, who.name, lot, at=at)
        return whole_lot(session, lot)

    return answer_once(request, db, who, idempotency_key, None, deed)


@router.post(
    "/{lot_id}/verifier-nonce",
    operation_id="giveVerifierNonce",
    summary="Commit to the verifier's nonce, or reveal it 核证机构随机数",
    status_code=201,
    response_model=LotOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409=STEP),
)
def post_verifier_nonce(
    request: Request,
    who: Verifier,
    db: Db,
    lot_id: LotId,
    body: CommitmentIn | RevealIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Commit within a week, reveal within a week after the epoch that decides was closed."""
    facts = {"who": who.name, "party": Party.VERIFIER, "at": now()}
    deed = partial(_give, lot=parse_public_id(PREFIX, lot_id), body=body, **facts)
    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{lot_id}/regulator-nonce",
    operation_id="giveRegulatorNonce",
    summary="Commit to the regulator's nonce, or reveal it 主管部门随机数",
    status_code=201,
    response_model=LotOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409=STEP),
)
def post_regulator_nonce(
    request: Request,
    who: Regulator,
    db: Db,
    lot_id: LotId,
    body: CommitmentIn | RevealIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Commit within a week, reveal within a week after the epoch that decides was closed."""
    facts = {"who": who.name, "party": Party.REGULATOR, "at": now()}
    deed = partial(_give, lot=parse_public_id(PREFIX, lot_id), body=body, **facts)
    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{lot_id}/sample",
    operation_id="drawSample",
    summary="Draw the sample of a lot 抽样",
    status_code=201,
    response_model=LotOut,
    responses=problems(
        **KEYED,
        s404=UNKNOWN,
        s409="A nonce may come, none did, or no block is final.",
    ),
)
def post_sample(
    request: Request, who: Verifier, db: Db, lot_id: LotId, idempotency_key: IdempotencyKey = None
) -> Response:
    """Draw it by the seed that is public by then."""
    at, lot = now(), parse_public_id(PREFIX, lot_id)

    def deed(session: Session) -> LotOut:
        draw_sample(session, who.name, lot, at=at)
        return whole_lot(session, lot)

    return answer_once(request, db, who, idempotency_key, None, deed)


@router.get(
    "/{lot_id}/sample",
    operation_id="readSample",
    summary="Read the sampled rows 查看样本",
    responses=problems(**DENIED, s404=UNKNOWN, s422="The cursor is not one of this list."),
)
def get_sample(
    _who: Verifier, db: Db, lot_id: LotId, limit: Limit = 50, cursor: Cursor = None
) -> SampleOut:
    """Give the rows with what to ask their providers for; nobody's name or account is there."""
    (after,) = read_cursor(cursor, int) if cursor else (0,)
    lot = db.read(find_lot, parse_public_id(PREFIX, lot_id))
    found = db.read(sampled_rows, lot.id, after=after, limit=limit + 1)
    return page_of(SampleOut, found, limit, shown_sampled, lambda last: (last.draw,))


@router.post(
    "/{lot_id}/findings",
    operation_id="giveFindings",
    summary="Say what was found of sampled rows 提交核查结论",
    status_code=201,
    response_model=LotOut,
    responses=problems(**KEYED, s404="No such lot or row.", s409=STEP),
)
def post_findings(  # noqa: PLR0917 -- what a request is made of
    request: Request,
    who: Verifier,
    db: Db,
    keys: Secrets,
    lot_id: LotId,
    body: FindingsIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Record findings, each row once; a record's hash shows whether it opens the commitment."""
    at, lot = now(), parse_public_id(PREFIX, lot_id)

    def deed(session: Session) -> LotOut:
        find(session, keys, who.name, lot, findings_of(body), at=at)
        return whole_lot(session, lot)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{lot_id}/decision",
    operation_id="decideLot",
    summary="Confirm or reject a lot 核证决定",
    status_code=201,
    response_model=LotOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409="Findings or the report are missing."),
)
def post_decision(  # noqa: PLR0917 -- likewise
    request: Request,
    who: Verifier,
    db: Db,
    settings: Configuration,
    lot_id: LotId,
    body: DecisionIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Decide; what was found wrong is corrected by new entries at once."""
    at, lot = now(), parse_public_id(PREFIX, lot_id)
    days = settings.acceptance_window_days

    def deed(session: Session) -> LotOut:
        told = (body.is_confirmed, body.statement)
        decide(session, who.name, lot, *told, window_days=days, at=at)
        return whole_lot(session, lot)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{lot_id}/issuance",
    operation_id="askIssuance",
    summary="Ask for the issuance of a lot's units 申请签发",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409="It is not confirmed, or awaits a signature."),
)
def post_issuance(
    request: Request,
    who: Operator,
    db: Db,
    lot_id: LotId,
    body: IssuanceIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the regulator's signature issues the units."""
    asks = partial(ask_issuance, lot=parse_public_id(PREFIX, lot_id))
    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


def findings_of(body: FindingsIn) -> list[Finding]:
    """Read findings."""
    return [
        Finding(
            each.draw,
            each.verdict,
            each.overstated_mg if isinstance(each, OverstatedIn) else None,
            None
            if each.record is None
            else Record(each.record.external_id, bytes.fromhex(each.record.sha256)),
            each.statement,
        )
        for each in body.findings
    ]


def _give(
    session: Session,
    *,
    who: str,
    lot: UUID | None,
    party: Party,
    body: CommitmentIn | RevealIn,
    at: datetime,
) -> LotOut:
    if isinstance(body, CommitmentIn):
        commit_nonce(session, who, lot, party, bytes.fromhex(body.commitment), at=at)
    else:
        reveal_nonce(session, who, lot, party, bytes.fromhex(body.nonce), at=at)
    return whole_lot(session, lot)
