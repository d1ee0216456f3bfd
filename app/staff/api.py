"""The desk over HTTP (办事台接口): second signatures, and the log of what was done."""

from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import Str, problems
from app.kernel.ids import parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.staff.approvals import sign
from app.staff.deeds import clerk_scopes
from app.staff.errors import ApprovalUnknown
from app.staff.queries import Sought, approval_for, approvals, entries
from app.staff.schemas import (
    ApprovalOut,
    ApprovalPage,
    AuditEntryPage,
    approval_out,
    entry_out,
)

router = APIRouter(prefix="/v1/admin", tags=["desk 办事台"])

Signer = Annotated[Principal, desk(Scope.APPROVALS_SIGN)]
Reader = Annotated[Principal, desk(Scope.AUDIT_READ)]
ApprovalId = Annotated[str, Path(max_length=40, examples=["apr_01k0000000000000000000000a"])]
Word = Annotated[Str | None, Query(max_length=200)]


@router.get(
    "/approvals",
    operation_id="listApprovals",
    summary="List requests for a second signature 待签事项列表",
    responses=problems(**DENIED, s422="The cursor or a filter is not of the documented form."),
)
def list_approvals(
    who: Signer,
    db: Db,
    *,
    is_open: Annotated[bool | None, Query(alias="open", description="Undecided ones only.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ApprovalPage:
    """List what you asked for, and what you may sign; the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(approvals, who, is_open=is_open, before=before, limit=limit + 1)
    return page_of(ApprovalPage, found, limit, approval_out, lambda last: (last.id,))


@router.get(
    "/approvals/{approval_id}",
    operation_id="getApproval",
    summary="Read a request for a second signature 查看待签事项",
    responses=problems(**DENIED, s404="No such request that you may see."),
)
def get_approval(who: Signer, db: Db, approval_id: ApprovalId) -> ApprovalOut:
    """Give all that a signature would set in motion."""
    return approval_out(db.read(approval_for, who, parse_public_id("apr", approval_id)))


DECIDED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such request that you may sign.",
    s409="It was decided before, or what it asks for cannot be done now.",
    s422="The Idempotency-Key was used for another request.",
)


@router.post(
    "/approvals/{approval_id}/signature",
    operation_id="signApproval",
    summary="Sign a request, which does what it asks for 复核通过",
    response_model=ApprovalOut,
    responses=DECIDED,
)
def sign_approval(
    request: Request,
    who: Signer,
    db: Db,
    approval_id: ApprovalId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Sign what somebody else asked for; signature and deed are one."""
    return _decide(request, who, db, approval_id, idempotency_key, agrees=True)


@router.post(
    "/approvals/{approval_id}/refusal",
    operation_id="refuseApproval",
    summary="Refuse a request, or take one's own back 复核驳回",
    response_model=ApprovalOut,
    responses=DECIDED,
)
def refuse_approval(
    request: Request,
    who: Signer,
    db: Db,
    approval_id: ApprovalId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Refuse: nothing is done, and the same may be asked for again."""
    return _decide(request, who, db, approval_id, idempotency_key, agrees=False)


def _decide(
    request: Request,
    who: Principal,
    db: Db,
    approval_id: str,
    key: str | None,
    *,
    agrees: bool,
) -> Response:
    approval, at, deeds = parse_public_id("apr", approval_id), now(), request.app.state.deeds
    keys: Keys = request.app.state.city.keys

    def deed(session: Session) -> ApprovalOut:
        if approval is None:
            raise ApprovalUnknown
        # A token outlives a suspension by minutes, and a signature outlives the token.
        held = replace(who, scopes=who.scopes & clerk_scopes(session, who))
        return approval_out(sign(session, held, approval, deeds, agrees=agrees, at=at, keys=keys))

    return answer_once(request, db, who, key, None, deed, status=200)


@router.get(
    "/audit-log",
    operation_id="listAuditLog",
    summary="Read what the desk did 审计日志",
    responses=problems(**DENIED, s422="The cursor or a filter is not of the documented form."),
)
def list_audit_log(
    _who: Reader,
    db: Db,
    *,
    actor: Word = None,
    act: Word = None,
    object_: Annotated[Word, Query(alias="object")] = None,
    as_of: Annotated[AwareDatetime | None, Query(description="As it stood then.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditEntryPage:
    """List the acts of clerks and partners, the newest first, each with its hash."""
    (before,) = read_cursor(cursor, int) if cursor else (None,)
    sought = Sought(actor, act, object_, as_of)
    found = db.read(entries, sought, before=before, limit=limit + 1)
    return page_of(AuditEntryPage, found, limit, entry_out, lambda last: (last.entry.number,))
