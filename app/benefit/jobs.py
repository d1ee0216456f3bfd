"""What the ticker wakes for the public benefit (公益定时任务), idempotent and resumable."""

from datetime import datetime

from app.benefit.giving import give_dust, give_points
from app.benefit.rules import EVENING
from app.benefit.totals import count_totals
from app.kernel.clock import SHANGHAI
from app.kernel.db import Database


def give_by_night(
    db: Database, worker_db: Database, *, untouched_days: int, crowd_min: int, at: datetime
) -> None:
    """Give dust once a night, points in the evening of their last day, and count what came."""
    give_dust(db, untouched_days=untouched_days, at=at)
    if at.astimezone(SHANGHAI).time() >= EVENING:
        give_points(db, at=at)
    count_totals(worker_db, crowd_min=crowd_min, at=at)
