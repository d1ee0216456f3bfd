"""Telling of what tills did (核销消息): rows of the mall become messages, and notices, by a job.

A redemption writes no message, so that a till waits for nothing but its deed. The job reads rows
by time from where it came to, with an overlap for deeds that were begun before and committed
after; a message's cause is its row, so what is read twice is told once.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.merchants.tills import PREFIX as TILL
from app.notices import Notice, NoticeKind, notify
from app.webhooks import News, NewsKind, listeners, merchant_owner, tell

OVERLAP: Final = timedelta(minutes=2)
"""A deed is tried four times at most, and waits ten seconds for a lock each time."""
AT_ONCE: Final = 1000
SOON: Final = timedelta(days=1)
"""How long before its end an order's owner is told."""
NEW: Final = timedelta(days=2)
"""Who ordered more shortly before the end knows it."""
REDEMPTION: Final = "rdm"
REVERSAL: Final = "rev"
ORDER: Final = "ord"

_CURSOR: Final = """
insert into webhook_cursor (source, told_to) values (%s, %s)
on conflict (source) do update set told_to = webhook_cursor.told_to
returning told_to"""
_MOVE: Final = """
update webhook_cursor set told_to = greatest(told_to, %s) where source = %s"""
_REDEEMED: Final = """
select redeemed_at, id, merchant, till, points, claim_fen, offline_at from redemption
 where redeemed_at >= %(since)s and redeemed_at < %(until)s
   and (redeemed_at, id) > (%(since)s, %(after)s) and merchant = any(%(merchants)s)
 order by redeemed_at, id limit %(limit)s"""
_REVERSED: Final = """
select v.reversed_at, v.id, v.merchant, v.till, v.redemption, v.bucket, v.account, r.mall_order,
       r.points
  from reversal v
  join redemption r on r.bucket = v.bucket and r.account = v.account and r.id = v.redemption
 where v.reversed_at >= %(since)s and v.reversed_at < %(until)s
   and (v.reversed_at, v.id) > (%(since)s, %(after)s)
 order by v.reversed_at, v.id limit %(limit)s"""
_BUCKETS: Final = """
select distinct bucket from mall_order
 where state = 'reserved' and ends_at > %s and ends_at <= %s order by bucket"""
_ENDING: Final = """
select o.account, o.id, o.points from mall_order o
 where o.bucket = %(bucket)s and o.state = 'reserved' and o.ends_at > %(at)s
   and o.ends_at <= %(soon)s and o.placed_at < o.ends_at - %(new)s and o.id > %(after)s
 order by o.id limit %(limit)s"""

Rows = Sequence[tuple[Any, ...]]
Read = Callable[[Session, Mapping[str, object]], Rows]
NONE: Final = UUID(int=0)


def tell_of_tills(db: Database, *, at: datetime) -> int:
    """Tell merchants of redemptions and reversals, and citizens of these; gives how many rows."""
    told = _go_through(db, "redemption", _tell_redeemed, at=at)
    return told + _go_through(db, "reversal", _tell_reversed, at=at)


def warn_of_ends(db: Database, *, at: datetime) -> int:
    """Tell citizens, once, of orders that end within a day; gives how many were told."""
    told = 0
    for bucket in db.read(_buckets, at):
        after: UUID | None = NONE
        while after is not None:
            new, after = db.transact(_warn, bucket, after, at=at)
            told += new
    return told


def order_notice(
    kind: NoticeKind, bucket: int, owner: int, order: UUID, points: int, at: datetime
) -> Notice:
    """Tell a citizen of an order of theirs."""
    facts: dict[str, str | int] = {"order": public_id(ORDER, order), "points": points}
    return Notice(bucket, owner, new_id(), kind, str(order), facts, at)


def _go_through(db: Database, source: str, told: Read, *, at: datetime) -> int:
    """Go from where the job came to up to ``at``, a thousand rows and one commit at a time."""
    since, after, rows = db.transact(_begin, source, at=at), NONE, 0

    def command(session: Session, since: datetime, after: UUID) -> Rows:
        asked = {"since": since, "after": after, "until": at, "limit": AT_ONCE}
        found = told(session, asked)
        reached = found[-1][0] if len(found) == AT_ONCE else at
        driver(session).execute(_MOVE, (reached, source))
        return found

    while True:
        found = db.transact(command, since, after)
        rows += len(found)
        if len(found) < AT_ONCE:
            return rows
        since, after = found[-1][:2]


def _begin(session: Session, source: str, *, at: datetime) -> datetime:
    row = driver(session).execute(_CURSOR, (source, at)).fetchone()
    assert row is not None
    return row[0] - OVERLAP


def _tell_redeemed(session: Session, asked: Mapping[str, object]) -> Rows:
    owners = listeners(session, NewsKind.VOUCHER_REDEEMED, among="merchant")
    merchants = [UUID(owner.partition(":")[2]) for owner in owners]
    rows = driver(session).execute(_REDEEMED, {**asked, "merchants": merchants}).fetchall()
    tell(session, [_redeemed(*row) for row in rows])
    return rows


def _redeemed(  # noqa: PLR0917 -- the columns of the statement
    redeemed_at: datetime,
    redemption: UUID,
    merchant: UUID,
    till: UUID | None,
    points: int,
    claim_fen: int,
    offline_at: datetime | None,
) -> News:
    data = {
        "redemption": public_id(REDEMPTION, redemption),
        "till": till and public_id(TILL, till),
        "points": points,
        "claim_fen": claim_fen,
        "redeemed_at": redeemed_at.isoformat(),
        "offline_at": offline_at and offline_at.isoformat(),
    }
    owner, kind = merchant_owner(merchant), NewsKind.VOUCHER_REDEEMED
    return News(new_id(), owner, kind, str(redemption), data, redeemed_at)


def _tell_reversed(session: Session, asked: Mapping[str, object]) -> Rows:
    connection = driver(session)
    rows = connection.execute(_REVERSED, asked).fetchall()
    tell(session, [_reversed(*row[:5]) for row in rows])
    given_back = [
        order_notice(NoticeKind.ORDER_REVERSED, bucket, owner, order, points, at)
        for at, *_, bucket, owner, order, points in rows
    ]
    notify(connection, given_back)
    return rows


def _reversed(
    reversed_at: datetime, reversal: UUID, merchant: UUID, till: UUID | None, redemption: UUID
) -> News:
    data = {
        "reversal": public_id(REVERSAL, reversal),
        "redemption": public_id(REDEMPTION, redemption),
        "till": till and public_id(TILL, till),
        "reversed_at": reversed_at.isoformat(),
    }
    owner, kind = merchant_owner(merchant), NewsKind.VOUCHER_REVERSED
    return News(new_id(), owner, kind, str(redemption), data, reversed_at)


def _buckets(session: Session, at: datetime) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS, (at, at + SOON))]


def _warn(session: Session, bucket: int, after: UUID, *, at: datetime) -> tuple[int, UUID | None]:
    """Tell some of a bucket; gives how many are new, and the last order if there may be more."""
    connection = driver(session)
    asked = {"bucket": bucket, "at": at, "soon": at + SOON, "new": NEW, "after": after}
    rows = connection.execute(_ENDING, {**asked, "limit": AT_ONCE}).fetchall()
    kind = NoticeKind.ORDER_EXPIRING
    told = notify(
        connection,
        [order_notice(kind, bucket, owner, order, points, at) for owner, order, points in rows],
    )
    return told, rows[-1][1] if len(rows) == AT_ONCE else None
