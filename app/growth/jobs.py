"""What the worker does for boards (定时任务): all of them anew each night, before anybody asks."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from app.growth.board_cache import BoardCache
from app.growth.boards import Board, Period, every_board, period_of, totals
from app.growth.published import growth_documents, in_force
from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.redis import Redis, RedisAway

log = structlog.get_logger()


def rebuild_boards(db: Database, redis: Redis, *, at: datetime) -> int:
    """Build every board of this period and the last from rows; give how many. Idempotent."""
    cache, built = BoardCache(redis), 0
    try:
        for board in every_board():
            for before in (True, False):
                period = period_of(board.span, day_of(at), before=before)
                built += _rebuilt(db, cache, board, period, at=at)
    except RedisAway:
        log.warning("redis away; boards are built when somebody asks")
    return built


def _rebuilt(
    db: Database, cache: BoardCache, board: Board, period: Period, *, at: datetime
) -> bool:
    document = in_force(growth_documents(), period.since)

    def build() -> Mapping[str, int]:
        return db.read(totals, board, period, document, at=at)

    return cache.rebuild(board, period, build, at=at)
