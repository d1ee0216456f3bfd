"""What the ticker wakes here (方法学治理的定时任务): each goes on where it was broken off."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.governance import correcting, shadowing
from app.governance.approving import renewals
from app.kernel.db import Database

BUDGET_S: Final = 60.0
"""After it no further part is begun in this tick [s]."""

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


def run_shadows(db: Database) -> int:
    """Go on with the shadow runs that wait; give how many were finished."""
    goes_on = within(BUDGET_S)
    return sum(shadowing.carry_out(db, run, goes_on=goes_on) for run in db.read(shadowing.waiting))


def carry_out_corrections(
    db: Database, key: Ed25519PrivateKey, *, at: datetime, window_days: int
) -> int:
    """Go on with the corrections of factors that are due; give how many were signed for."""
    goes_on, finished = within(BUDGET_S), 0
    for order in db.read(correcting.waiting, at=at):
        finished += correcting.carry_out(
            db, key, order, at=at, window_days=window_days, goes_on=goes_on
        )
    return finished


def within(seconds: float) -> Callable[[], bool]:
    """Say, when asked, whether there is time left."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end
