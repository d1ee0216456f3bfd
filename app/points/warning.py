"""Warning (预警): citizens of points that end within 30 and 7 days, others of totals and budgets.

Each class of points is told of once at each of the two steps. Bucket by bucket, a thousand at a
time; who was told before is passed over, so a run that died is begun again.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.notices import Notice, NoticeKind, notify
from app.points.earmarks import funds_of
from app.points.programmes import programmes
from app.points.rules import is_below
from app.webhooks import OPERATOR, News, NewsKind, tell, tell_partners

STEPS_DAYS: Final = (7, 30)
AT_ONCE: Final = 1000

_SOON: Final = """
select id, programme, expires from asset
 where id & 7 = 3 and expires >= %s and expires <= %s order by id"""
_BUCKETS: Final = """
select distinct bucket from balance
 where asset = any(%s) and asset & 7 = 3 and credits > debits and account & 31 = 2
 order by bucket"""
_HELD: Final = """
select b.account, b.asset, b.credits - b.debits from balance b
 where b.bucket = %(bucket)s and b.asset = any(%(assets)s) and b.asset & 7 = 3
   and b.credits > b.debits and b.account & 31 = 2
   and (b.account, b.asset) > (%(owner)s, %(asset)s)
 order by b.account, b.asset limit %(limit)s"""
_COUNTED: Final = """
select p.code, o.expires, o.points
  from points_outstanding o join programme p on p.id = o.programme
 where o.expires >= %s and o.expires <= %s and o.points > 0 order by p.code, o.expires"""


class Ending(NamedTuple):
    """A class of points that ends soon."""

    programme: str
    expires: date
    step_days: int

    @property
    def subject(self) -> str:
        """What its notice is about."""
        return f"{self.programme}/{self.expires}/{self.step_days}"


def warn_of_points(db: Database, *, at: datetime) -> int:
    """Tell citizens of what ends soon, and whoever listens of totals; gives how many notices."""
    today = day_of(at)
    ending, told = db.read(_ending, today), 0
    for bucket in db.read(_buckets, list(ending)) if ending else ():
        place: tuple[int, int] | None = (0, 0)
        while place is not None:
            new, place = db.transact(_warn, bucket, ending, place, at=at)
            told += new
    db.transact(_tell_totals, today, at=at)
    return told


def warn_of_budgets(db: Database, *, at: datetime) -> None:
    """Tell the operator, once a day, of each programme whose funds are below its mark."""
    db.transact(_tell_budgets, at=at)


def step_of(expires: date, today: date) -> int:
    """Give the step that a class has reached: the nearest one.

    >>> step_of(date(2026, 3, 31), date(2026, 3, 1)), step_of(date(2026, 3, 8), date(2026, 3, 1))
    (30, 7)
    """
    return next(step for step in STEPS_DAYS if (expires - today).days <= step)


def _last(today: date) -> date:
    return today + timedelta(days=max(STEPS_DAYS))


def _ending(session: Session, today: date) -> dict[int, Ending]:
    rows = driver(session).execute(_SOON, (today, _last(today))).fetchall()
    return {
        asset: Ending(programme, expires, step_of(expires, today))
        for asset, programme, expires in rows
    }


def _buckets(session: Session, assets: Sequence[int]) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS, (assets,))]


def _warn(
    session: Session,
    bucket: int,
    ending: dict[int, Ending],
    place: tuple[int, int],
    *,
    at: datetime,
) -> tuple[int, tuple[int, int] | None]:
    """Tell some of a bucket; gives how many are new, and where it goes on if there may be more."""
    connection = driver(session)
    asked = {"bucket": bucket, "assets": list(ending), "owner": place[0], "asset": place[1]}
    rows = connection.execute(_HELD, {**asked, "limit": AT_ONCE}).fetchall()
    told = notify(
        connection,
        [_notice(bucket, owner, ending[asset], points, at=at) for owner, asset, points in rows],
    )
    return told, rows[-1][:2] if len(rows) == AT_ONCE else None


def _notice(bucket: int, owner: int, ending: Ending, points: int, *, at: datetime) -> Notice:
    facts: dict[str, str | int] = {
        "programme": ending.programme,
        "points": points,
        "expires": ending.expires.isoformat(),
    }
    kind = NoticeKind.POINTS_EXPIRING
    return Notice(bucket, owner, new_id(), kind, ending.subject, facts, at)


def _tell_totals(session: Session, today: date, *, at: datetime) -> None:
    """Tell what is out there in all, as it was last counted: nobody's in particular."""
    for code, expires, points in driver(session).execute(_COUNTED, (today, _last(today))):
        cause = Ending(code, expires, step_of(expires, today)).subject
        data = {"programme": code, "expires": expires.isoformat(), "points": points}
        news = News(new_id(), OPERATOR, NewsKind.POINTS_EXPIRING, cause, data, at)
        tell(session, [news])
        tell_partners(session, news, new_id)


def _tell_budgets(session: Session, *, at: datetime) -> None:
    connection, today = driver(session), day_of(at)
    low: list[News] = []
    for each in programmes(connection).values():
        funds = funds_of(connection, each.id)
        if each.fen_per_point and is_below(funds.solvency, each.pause_below_permille):
            data = {
                "programme": each.code,
                "funds_fen": funds.total_fen,
                "promised_fen": funds.promised_fen,
                "solvency_permille": funds.solvency,
            }
            cause = f"{each.code}/{today}"
            low.append(News(new_id(), OPERATOR, NewsKind.BUDGET_LOW, cause, data, at))
    tell(session, low)
