"""Programmes at the desk (计划管理接口): opened by one; rates, rewards and money by two."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from app.kernel.auth import desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.points.api import Code
from app.points.funding import ask_funding
from app.points.programmes import (
    NewProgramme,
    Rate,
    Reward,
    open_programme,
)
from app.points.queries import figures_of
from app.points.schemas import FundingIn, ProgrammeIn, ProgrammeOut, RateIn, RewardIn
from app.points.telling import shown_programme
from app.points.terms import ask_terms
from app.staff import ApprovalOut, answer_asked, note_act

Manager = Annotated[Principal, desk(Scope.PROGRAMMES_MANAGE)]
KEY: Final = "The Idempotency-Key is missing."
AWAITED: Final = "The same already awaits its second signature, or was not simulated as named."
UNKNOWN: Final = "There is no such programme."
FORM: Final = "The request is not in its form, or the key was used for another."

router = APIRouter(prefix="/v1/admin/programmes", tags=["programmes 积分计划"])


@router.post(
    "",
    operation_id="openProgramme",
    summary="Open a programme 开设积分计划",
    status_code=201,
    response_model=ProgrammeOut,
    responses=problems(s400=KEY, s409="The code is in use.", s422=FORM),
)
def post_programme(
    request: Request,
    db: Db,
    keys: Secrets,
    who: Manager,
    body: ProgrammeIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Open a programme with an empty budget; a point takes ten grams until a rate says else."""
    at = now()

    def deed(session: Session) -> ProgrammeOut:
        open_programme(session, keys, NewProgramme(**dict(body)), at=at)
        fen = body.fen_per_point
        note_act(session, who.name, "programmes.open", body.code, at=at, fen_per_point=fen)
        return shown_programme(figures_of(session, body.code))

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{code}/rates",
    operation_id="askForRate",
    summary="Ask what a point shall take, from a day on 申请设定兑换率",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(s400=KEY, s404=UNKNOWN, s409=AWAITED, s422=FORM),
)
def post_rate(
    code: Code,
    request: Request,
    db: Db,
    who: Manager,
    body: RateIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; signed by a second person it ends the rate before, and rewrites nothing."""
    field = None if body.field is None else body.field.value
    rate = Rate(body.grade, field, body.mg_per_point, body.valid_from, from_mg=body.from_mg)
    asks = partial(ask_terms, code=code, terms=rate, simulation=body.simulation)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/{code}/rewards",
    operation_id="askForReward",
    summary="Ask what a behaviour shall earn, from a day on 申请设定行为奖励",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(s400=KEY, s404=UNKNOWN, s409=AWAITED, s422=FORM),
)
def post_reward(
    code: Code,
    request: Request,
    db: Db,
    who: Manager,
    body: RewardIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; signed by a second person it ends this programme's reward before."""
    reward = Reward(**body.model_dump(exclude={"reason", "simulation"}))
    asks = partial(ask_terms, code=code, terms=reward, simulation=body.simulation)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/{code}/funding",
    operation_id="askForFunding",
    summary="Ask for money to be taken in 申请注资",
    status_code=201,
    response_model=ApprovalOut,
    responses=problems(
        s400=KEY,
        s404=UNKNOWN,
        s409="Another funding awaits its signature, or the points claim no money.",
        s422=FORM,
    ),
)
def post_funding(
    code: Code,
    request: Request,
    db: Db,
    who: Manager,
    body: FundingIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; once a second person signs, the money is in the budget."""
    asks = partial(ask_funding, code=code, fen=body.fen, sponsor=body.sponsor)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)
