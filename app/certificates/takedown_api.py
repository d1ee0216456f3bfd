"""What the desk took down, for anybody (下架公示接口)."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from app.certificates.public_api import FRESH
from app.certificates.takedowns import Takedown, TakedownReason, takedowns
from app.kernel.http import problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db

router = APIRouter(prefix="/v1/public", tags=["certificates 证书"])


class TakedownOut(BaseModel):
    """Words that the desk took down from a certificate (下架记录)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate: str = Field(examples=["cert_01k0000000000000000000000a"])
    text: Literal["holder", "beneficiary", "message"]
    reason: TakedownReason
    taken_down_on: date


class TakedownPage(BaseModel):
    """Some of them, the newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Sequence[TakedownOut]
    next_cursor: str | None


@router.get(
    "/certificate-takedowns",
    operation_id="listTakedowns",
    summary="What the desk took down 下架记录",
    responses=problems(s422="The cursor is not one of this list."),
)
def list_takedowns(
    db: Db, response: Response, limit: Limit = 50, cursor: Cursor = None
) -> TakedownPage:
    """List names and messages that the desk took down, the newest first, and not what they said."""
    response.headers.update(FRESH)
    before = read_cursor(cursor, date, UUID, str) if cursor else None
    found = db.read(takedowns, before=before, limit=limit + 1)
    return page_of(
        TakedownPage, found, limit, _shown, lambda last: (last.on, last.subject, last.name)
    )


def _shown(found: Takedown) -> TakedownOut:
    return TakedownOut.model_validate(
        {
            "certificate": found.public,
            "text": found.name,
            "reason": found.reason,
            "taken_down_on": found.on,
        }
    )
