"""What the ticker wakes here (方法学治理的定时任务)."""

from datetime import datetime

import structlog

from app.governance.approving import renewals
from app.kernel.db import Database

log = structlog.get_logger("tanpu.governance")


def warn_of_renewals(db: Database, *, at: datetime) -> int:
    """Warn of each scenario whose approval ends within 90 days, or has ended; give how many."""
    found = db.read(renewals, at=at)
    for each in found:
        log.warning(
            "governance.renewal_due",
            scenario=each.approval.scenario,
            valid_until=each.approval.valid_until.isoformat(),
            days_left=each.days_left,
        )
    return len(found)
