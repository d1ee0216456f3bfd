"""The closed loop over HTTP (闭环公示接口): for anybody."""

from fastapi import APIRouter

from app.kernel.clock import now
from app.kernel.wiring import Db
from app.market.loop import closed_loop
from app.market.schemas import ClosedLoopOut, LoopProgrammeOut

router = APIRouter(prefix="/v1/public", tags=["public 公示"])


@router.get(
    "/closed-loop",
    operation_id="getClosedLoop",
    summary="From buyers' money to merchants' 闭环消纳公示",
)
def get_closed_loop(db: Db) -> ClosedLoopOut:
    """Give what sales brought, which budgets it reached, and what merchants had of it."""
    sums, found = db.read(closed_loop)
    told = [LoopProgrammeOut(**each._asdict()) for each in found]
    return ClosedLoopOut(as_of=now(), **sums._asdict(), programmes=told)
