"""A provider's own view over HTTP (提供方自查接口): what it sent, and how good that was."""

from datetime import UTC, date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from app.activities.quality_schemas import (
    ScorecardOut,
    SentBatchPage,
    scorecard_out,
    sent_out,
)
from app.activities.scorecard import scorecard
from app.activities.sent import sent_by
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.providers.senders import DENIED, Reader

LAST: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=(1 << 128) - 1))
Month = Annotated[
    str | None,
    Query(
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        description="This month when absent. 月份",
        examples=["2026-06"],
    ),
]
router = APIRouter(prefix="/v1/provider", tags=["providers 数据提供方"])


@router.get(
    "/batches",
    operation_id="listActivityBatches",
    summary="One's own batches 本方批次列表",
    responses=problems(**DENIED, s422="The cursor is not one of this list's."),
)
def list_batches(db: Db, sender: Reader, cursor: Cursor = None, limit: Limit = 50) -> SentBatchPage:
    """List what this provider sent, the newest first."""
    before = read_cursor(cursor, datetime, UUID) if cursor else LAST
    found = db.read(sent_by, sender, before=before, limit=limit + 1)
    return page_of(SentBatchPage, found, limit, sent_out, lambda last: (last.opened_at, last.id))


@router.get(
    "/scorecard",
    operation_id="getScorecard",
    summary="How good one's data were in a month 数据质量记分卡",
    responses=problems(**DENIED, s422="The month is not in its form."),
)
def read_scorecard(db: Db, sender: Reader, month: Month = None) -> ScorecardOut:
    """Give counts and shares of what this provider sent, from rows alone."""
    first = day_of(now()).replace(day=1) if month is None else date.fromisoformat(f"{month}-01")
    return scorecard_out(db.read(scorecard, sender, first))
