"""How a request for a second signature is answered (提请复核的应答): all alike."""

from collections.abc import Callable

from fastapi import Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.once import answer_once
from app.kernel.tokens import Principal
from app.staff.approvals import Approval, Asking
from app.staff.schemas import ApprovalOut, approval_out


def answer_asked(  # noqa: PLR0917 -- the request, its key, who, for what and why
    request: Request,
    db: Database,
    who: Principal,
    key: str | None,
    body: BaseModel,
    asks: Callable[[Session, Asking], Approval],
    status: int = 201,
    *,
    reason: str,
) -> Response:
    """Ask by ``asks``, at most once for this key, and answer with what awaits its signature.

    Raises:
        IdempotencyKeyMissing, IdempotencyKeyReused: See their own words.
    """
    asking = Asking(who, reason, new_id(), now())

    def deed(session: Session) -> ApprovalOut:
        return approval_out(asks(session, asking))

    return answer_once(request, db, who, key, body, deed, status)
