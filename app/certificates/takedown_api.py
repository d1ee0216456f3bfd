"""What the desk took down, for anybody (下架公示接口)."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from app.certificates.public_api import FRESH
from app.certificates.takedowns import TakedownReason, TakenDown, takedowns
from app.kernel.http import problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db

router = APIRouter(prefix="/v1/public", tags=["certificates 证书"])


class TakenDownOut(BaseModel):
    """How many texts the desk took down on a day for one reason (下架统计)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taken_down_on: date
    text: Literal["holder", "beneficiary", "message"]
    reason: TakedownReason
    texts: int


class TakedownPage(BaseModel):
    """Some of them, the newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Sequence[TakenDownOut]
    next_cursor: str | None


@router.get(
    "/certificate-takedowns",
    operation_id="listTakedowns",
    summary="What the desk took down 下架统计",
    responses=problems(s422="The cursor is not one of this list."),
)
def list_takedowns(
    db: Db, response: Response, limit: Limit = 50, cursor: Cursor = None
) -> TakedownPage:
    """Count names and messages that the desk took down; each certificate says it of itself."""
    response.headers.update(FRESH)
    before = read_cursor(cursor, date, str, str) if cursor else None
    found = db.read(takedowns, before=before, limit=limit + 1)
    return page_of(
        TakedownPage, found, limit, _shown, lambda last: (last.on, last.name, last.reason)
    )


def _shown(found: TakenDown) -> TakenDownOut:
    return TakenDownOut.model_validate(
        {
            "taken_down_on": found.on,
            "text": found.name,
            "reason": found.reason,
            "texts": found.texts,
        }
    )
