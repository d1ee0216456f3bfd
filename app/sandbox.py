"""The sandbox's clock over HTTP (沙箱时钟接口): only where the deployment is a sandbox (R21)."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from app.kernel.advancing import AHEAD_MAX, advance, ahead
from app.kernel.auth import DENIED, desk
from app.kernel.clock import now, wall
from app.kernel.http import problems
from app.kernel.ids import new_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.staff import note_act

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
Operator = Annotated[Principal, desk(Scope.PROVIDERS_MANAGE)]
router = APIRouter(prefix="/v1/sandbox/clock", tags=["sandbox 沙箱"])


class AdvanceIn(BaseModel):
    """How far to advance the clock; it never goes back."""

    model_config = _FROZEN

    advance_s: int = Field(ge=1, le=int(AHEAD_MAX.total_seconds()), examples=[86400])


class ClockOut(BaseModel):
    """What the sandbox's clock shows: sign your requests by it."""

    model_config = _FROZEN

    now: datetime
    ahead_s: int = Field(description="Ahead of the wall's clock.", examples=[86400])


@router.get("", operation_id="getSandboxClock", summary="The sandbox's clock 沙箱时钟")
def read_clock(db: Db) -> ClockOut:
    """Say what time it is here."""
    return ClockOut(now=now(), ahead_s=int(db.read(ahead).total_seconds()))


@router.post(
    "",
    operation_id="advanceSandboxClock",
    summary="Advance the sandbox's clock 推进沙箱时钟",
    status_code=201,
    response_model=ClockOut,
    responses=problems(
        s400="The Idempotency-Key is missing.",
        **DENIED,
        s409="It would be more than two years ahead.",
        s422="The advance is not above zero, or the Idempotency-Key was used before.",
    ),
)
def advance_clock(
    request: Request,
    body: AdvanceIn,
    db: Db,
    who: Operator,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Advance it for everybody here; what is due by then happens at the worker's next look."""
    by, at, real, number = timedelta(seconds=body.advance_s), now(), wall(), new_id()

    def deed(session: Session) -> ClockOut:
        reached = advance(session, by, advance=number, wall=real)
        note_act(session, who.name, "sandbox.advance", "clock", at=at, by_s=body.advance_s)
        return ClockOut(now=reached, ahead_s=round((reached - real).total_seconds()))

    return answer_once(request, db, who, idempotency_key, body, deed)
