"""What the ticker wakes for the market (市场定时任务): purchases that nobody paid for end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.market.purchases import lock_purchase, release
from app.market.rules import PurchaseState
from app.market.telling import tell_parties
from app.webhooks import NewsKind

AT_ONCE: Final = 500
_DUE: Final = """
select id from purchase where ended_at is null and expires_at <= %s order by expires_at limit %s"""


def expire_purchases(db: Database, *, at: datetime) -> int:
    """Give back what unpaid purchases past their end still hold; gives how many. Resumable."""
    expired = 0
    while due := db.read(_due, at):
        expired += sum(db.transact(_expire, each, at=at) for each in due)
    return expired


def _due(session: Session, at: datetime) -> Sequence[UUID]:
    return [row[0] for row in driver(session).execute(_DUE, (at, AT_ONCE)).fetchall()]


def _expire(session: Session, purchase: UUID, *, at: datetime) -> bool:
    """Let a purchase expire, unless it ended or was prolonged meanwhile; says whether it did."""
    found = lock_purchase(session, purchase)
    if found.outcome is not None or found.state(at) is not PurchaseState.EXPIRED:
        return False
    release(session, found, PurchaseState.EXPIRED, new_id=new_id, at=at)
    tell_parties(session, NewsKind.PURCHASE_EXPIRED, found, new_id=new_id, at=at)
    return True
