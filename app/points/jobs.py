"""What the ticker wakes for points (积分定时任务), each idempotent and resumable."""

from datetime import datetime

from app.kernel.db import Database
from app.points.earmarks import return_earmarks
from app.points.expiring import expire
from app.points.queries import count_outstanding


def close_points_day(db: Database, worker_db: Database, *, at: datetime) -> None:
    """Let points past their date expire, return what was promised for them, and count anew."""
    expire(db, at=at)
    return_earmarks(worker_db)
    count_outstanding(worker_db, at=at)
