"""Decisions over HTTP (方法学决定接口): signatures, withdrawals, scenarios' approvals, renewals."""

from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlmodel import Session

from app.catalogue import ScenarioApproval, register
from app.catalogue.api import Code, Version
from app.catalogue.schemas import ApprovalOut as ScenarioApprovalOut
from app.governance.api import DENIED, KEYED, Expert, Publisher
from app.governance.approving import (
    ask_approval,
    ask_ending,
    give_signature,
    renewals,
    take_signature_back,
)
from app.governance.publishing import ask_withdrawal
from app.governance.schemas import (
    EndingIn,
    RenewalList,
    ScenarioApprovalIn,
    SignatureIn,
    WithdrawalIn,
)
from app.governance.showing import renewal_out
from app.kernel.clock import now
from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.wiring import Db
from app.staff import ApprovalOut, answer_asked

router = APIRouter(prefix="/v1", tags=["governance 方法学治理"])

NO_VERSION: Final = "No such version."
FRESH: Final = {"cache-control": "public, max-age=60", **OPEN}


class SignedOut(BaseModel):
    """Whose signature holds under what (签字)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    methodology: str
    reviewer: str
    holds: bool


class ScenarioApprovalList(BaseModel):
    """Every approval, by scenario and first day (场景批准)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: list[ScenarioApprovalOut]


@router.post(
    "/methodologies/{code}/{version}/sign-offs",
    operation_id="signMethodology",
    summary="Sign a version's quotations as right 复核签字",
    status_code=201,
    response_model=SignedOut,
    responses=problems(**KEYED, s404=NO_VERSION, s409="Your signature holds already."),
)
def post_signature(
    request: Request,
    who: Expert,
    db: Db,
    *,
    code: Code,
    version: Version,
    body: SignatureIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Sign this very text under one's own name, which is shown publicly."""
    at = now()

    def deed(session: Session) -> SignedOut:
        give_signature(session, who, code, version, note=body.note, at=at)
        return SignedOut(methodology=f"{code} {version}", reviewer=who.name, holds=True)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.delete(
    "/methodologies/{code}/{version}/sign-offs",
    operation_id="withdrawMethodologySignature",
    summary="Take one's signature back 撤回签字",
    responses=problems(**DENIED, s404="There is none of yours that holds."),
)
def delete_signature(who: Expert, db: Db, *, code: Code, version: Version) -> SignedOut:
    """Let one's own signature hold no longer from today; what was posted keeps its grade."""
    db.transact(take_signature_back, who, code, version, at=now())
    return SignedOut(methodology=f"{code} {version}", reviewer=who.name, holds=False)


@router.post(
    "/methodologies/{code}/{version}/withdrawal",
    operation_id="askMethodologyWithdrawal",
    summary="Ask for the withdrawal of a version 申请撤回方法学",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(
        **KEYED, s404=NO_VERSION, s409="It was withdrawn, or awaits its signature already."
    ),
)
def post_withdrawal(
    request: Request,
    who: Publisher,
    db: Db,
    *,
    code: Code,
    version: Version,
    body: WithdrawalIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; once a second person signs, no act after the last day accrues."""
    asks = partial(ask_withdrawal, code=code, version=version, last_day=body.last_day)
    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


@router.get(
    "/scenario-approvals",
    operation_id="listScenarioApprovals",
    summary="List approvals of scenarios 场景批准公示",
    tags=["public 公开"],
    response_model=ScenarioApprovalList,
)
def list_scenario_approvals(db: Db, if_none_match: Known = None) -> Response:
    """List every approval with its dates and letter; public."""
    found = db.read(register).approvals
    data = ScenarioApprovalList(data=[ScenarioApprovalOut(**each._asdict()) for each in found])
    return tagged(data.model_dump_json().encode(), "application/json", FRESH, if_none_match)


@router.post(
    "/scenario-approvals",
    operation_id="askScenarioApproval",
    summary="Ask for the approval of a scenario, or its renewal 申请场景批准或续期",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(
        **KEYED,
        s404="No methodology has this scenario.",
        s409="One that begins on this day is recorded, or awaits its signature.",
    ),
)
def post_scenario_approval(
    request: Request,
    who: Publisher,
    db: Db,
    body: ScenarioApprovalIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; a second person's signature approves it for these days."""
    approved = ScenarioApproval(body.scenario, body.valid_from, body.valid_until, body.letter)
    asks = partial(ask_approval, approved=approved)
    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


@router.post(
    "/scenario-approvals/endings",
    operation_id="askScenarioApprovalEnding",
    summary="Ask for the end of an approval 申请终止场景批准",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(
        **KEYED, s404="No such approval that could end then.", s409="It awaits its signature."
    ),
)
def post_ending(
    request: Request,
    who: Publisher,
    db: Db,
    body: EndingIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; once a second person signs, no act after the last day accrues."""
    dates = {"valid_from": body.valid_from, "last_day": body.last_day}
    asks = partial(ask_ending, scenario=body.scenario, **dates)
    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


@router.get(
    "/admin/renewals",
    operation_id="listRenewals",
    summary="List approvals that are due for renewal 待续期的场景",
    responses=problems(**DENIED),
)
def list_renewals(_who: Publisher, db: Db) -> RenewalList:
    """List scenarios whose approval ends within 90 days, or has ended."""
    found = db.read(renewals, at=now())
    return RenewalList(data=[renewal_out(each) for each in found])
