"""Simulations at the desk over HTTP (活动推演接口)."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlmodel import Session

from app.campaigns.schemas import SimulationIn, SimulationOut
from app.campaigns.simulating import PREFIX, ask_simulation, find_simulation, simulations
from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.points.api import Code

LAST: Final = UUID(int=2**128 - 1)
Manager = Annotated[Principal, desk(Scope.PROGRAMMES_MANAGE)]
SimulationId = Annotated[str, Path(max_length=40, examples=["sim_01k0000000000000000000000a"])]

router = APIRouter(prefix="/v1/admin/programmes", tags=["programmes 积分计划"])


class SimulationPage(BaseModel):
    """Some simulations, the newest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: list[SimulationOut]
    next_cursor: str | None


@router.post(
    "/{code}/simulations",
    operation_id="askForSimulation",
    summary="Try terms on past days 推演兑换率与奖励",
    status_code=201,
    response_model=SimulationOut,
    responses=problems(
        **DENIED,
        s400="The Idempotency-Key is missing.",
        s404="There is no such programme.",
        s409="Enough wait for their turn, or another programme rewards this behaviour.",
        s422="The days or the terms are not of the form, or the key was used for another.",
    ),
)
def post_simulation(
    code: Code,
    request: Request,
    db: Db,
    who: Manager,
    body: SimulationIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask for it; within minutes it says what these terms would have promised, and to how many."""
    id_, at = new_id(), now()

    def deed(session: Session) -> SimulationOut:
        return ask_simulation(session, who, code, body, simulation=id_, at=at)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.get(
    "/{code}/simulations",
    operation_id="listSimulations",
    summary="Simulations of a programme 推演列表",
    responses=problems(**DENIED, s404="There is no such programme.", s422="The cursor is unfit."),
)
def list_simulations(
    code: Code, db: Db, _who: Manager, cursor: Cursor = None, limit: Limit = 50
) -> SimulationPage:
    """List them, the newest first."""
    before = parse_public_id(PREFIX, *read_cursor(cursor, str)) if cursor else LAST
    found = db.read(simulations, code, before=before, limit=limit + 1)
    return page_of(SimulationPage, found, limit, lambda each: each, lambda last: (last.id,))


@router.get(
    "/{code}/simulations/{simulation_id}",
    operation_id="getSimulation",
    summary="One simulation 单个推演",
    responses=problems(**DENIED, s404="The programme has no such simulation."),
)
def get_simulation(code: Code, simulation_id: SimulationId, db: Db, _who: Manager) -> SimulationOut:
    """Show what was tried and, once it ran, what it came to."""
    return db.read(find_simulation, code, parse_public_id(PREFIX, simulation_id))
