"""What the ticker wakes for settlements (结算定时任务), each idempotent and resumable."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.merchants import merchants
from app.settlements.closing import settle_day
from app.settlements.disputes import finalise
from app.settlements.errors import BudgetShort
from app.settlements.statement import SettlementSeal

QUIET: Final = timedelta(hours=1)
"""After midnight: a reversal may come a quarter of it later, and belongs to its redemption."""
AT_ONCE: Final = 200
_CLOSED: Final = "select max(day) from settlement_day"
_FIRST: Final = "select min(recorded_on) from redemption"
_CLOSE: Final = "insert into settlement_day values (%s, %s) on conflict (day) do nothing"

log = structlog.get_logger()


def settle_days(db: Database, seal: SettlementSeal, *, at: datetime) -> int:
    """Settle every merchant for every day that is over; gives how many statements were made.

    One transaction a merchant and day. A day is closed once every merchant was settled, and then
    not looked at again; whoever fails is told of, keeps it open, and holds up no one else. No later
    day of theirs is settled before it: a statement looks back some days only.
    """
    made, stuck = 0, set[UUID]()
    for day in db.read(_due, day_of(at - QUIET)):
        made += _settle_all(db, seal, day, stuck, at)
        if not stuck:
            db.transact(_close, day, at=at)
    return made


def close_windows(db: Database, *, at: datetime) -> int:
    """Let statements stand whose window is over and whose disputes are answered; gives how many."""
    return finalise(db, at=at)


def _settle_all(
    db: Database, seal: SettlementSeal, day: date, stuck: set[UUID], at: datetime
) -> int:
    """Settle all who are not stuck at a day before; adds to these whoever is at this one."""
    done = 0
    after: UUID | None = None
    while page := db.read(_page, after):
        for merchant in page:
            if merchant in stuck:
                continue
            settlement = new_id()
            try:
                done += db.transact(
                    settle_day, seal, merchant, day, settlement=settlement, new_id=new_id, at=at
                )
            except BudgetShort:
                log.exception("a budget is short of what was promised", merchant=str(merchant))
                stuck.add(merchant)
        after = page[-1]
    return done


def _due(session: Session, today: date) -> list[date]:
    connection = driver(session)
    (last,) = connection.execute(_CLOSED).fetchall()[0]
    (first,) = connection.execute(_FIRST).fetchall()[0] if last is None else (last + timedelta(1),)
    return [] if first is None else [first + timedelta(n) for n in range((today - first).days)]


def _page(session: Session, after: UUID | None) -> Sequence[UUID]:
    return [each.id for each in merchants(session, after=after, limit=AT_ONCE)]


def _close(session: Session, day: date, *, at: datetime) -> None:
    driver(session).execute(_CLOSE, (day, at))
