"""Orders that end by themselves (订单到期): past their time, or because their owner leaves (R20).

So does the time in which tills may take a token, and tell of it (0029). Each is a
transaction of its own, with the notice of it, so the job holds nothing while it goes on, and a
worker that dies leaves the rest to the next one.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.citizens import Citizen
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.mall.ordering import RELEASE
from app.mall.telling import order_notice
from app.notices import NoticeKind, notify

AT_ONCE: Final = 500
QUIET: Final = timedelta(hours=1)
"""After a redemption: a reversal may come within a quarter of it."""
_BUCKETS: Final = """
select distinct bucket from mall_order where state = 'reserved' and ends_at <= %s order by bucket"""
_DUE: Final = """
select account, id, points from mall_order
 where bucket = %s and state = 'reserved' and ends_at <= %s
   and (offline_until is null or offline_until + interval '1 day' <= %s)
 order by ends_at, account, id limit %s"""
_BOUND_BUCKETS: Final = """
select distinct bucket from mall_order
 where is_bound and bound_until(state, offline_until) <= %s order by bucket"""
_BOUND: Final = """
select account, id from mall_order
 where bucket = %s and is_bound and bound_until(state, offline_until) <= %s
 order by offline_until, account, id limit %s"""
_END_OFFLINE: Final = "select end_offline(%s::int2, %s::int8, %s, %s)"
_RESERVED: Final = """
select id from mall_order where bucket = %s and account = %s and state = 'reserved' order by id"""
_LIVE: Final = """
select 1 from mall_order
 where bucket = %s and account = %s and (state = 'reserved' or is_bound) limit 1"""
_RECENT: Final = """
select 1 from redemption where bucket = %s and account = %s and redeemed_at > %s limit 1"""


def expire_orders(db: Database, *, at: datetime) -> int:
    """Give back what orders past their end still hold; gives how many expired. Resumable."""
    expired = 0
    for bucket in db.read(_buckets, at):
        while due := db.read(_due, bucket, at):
            for each in due:
                expired += db.transact(_expire, bucket, *each, moved=new_id(), at=at)
    return expired


def end_offline(db: Database, *, at: datetime) -> int:
    """Free of merchants' caps what tokens bound that no till can take or tell of. Resumable."""
    ended = 0
    for bucket in db.read(_bound_buckets, at):
        while bound := db.read(_bound, bucket, at):
            for owner, order in bound:
                ended += db.transact(_end_offline, bucket, owner, order, at=at)
    return ended


def release_orders(session: Session, citizen: Citizen, at: datetime) -> None:
    """Cancel what a citizen who leaves has on order; what is open to tills offline waits."""
    connection, owner = driver(session), (citizen.bucket, citizen.number)
    for (order,) in connection.execute(_RESERVED, owner).fetchall():
        connection.execute(RELEASE, (*owner, order, new_id(), at, day_of(at)))


def is_quiet(session: Session, citizen: Citizen, at: datetime) -> bool:
    """Say whether nothing that a citizen ordered can come back any more."""
    connection, owner = driver(session), (citizen.bucket, citizen.number)
    if connection.execute(_LIVE, owner).fetchone() is not None:
        return False
    return connection.execute(_RECENT, (*owner, at - QUIET)).fetchone() is None


def _expire(
    session: Session,
    bucket: int,
    owner: int,
    order: UUID,
    points: int,
    *,
    moved: UUID,
    at: datetime,
) -> bool:
    """Let an order expire, and tell its owner; says whether it did."""
    connection = driver(session)
    row = connection.execute(RELEASE, (bucket, owner, order, moved, at, day_of(at))).fetchone()
    if row != ("reserved", "expired"):
        return False
    notify(connection, [order_notice(NoticeKind.ORDER_EXPIRED, bucket, owner, order, points, at)])
    return True


def _buckets(session: Session, at: datetime) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS, (at,))]


def _due(session: Session, bucket: int, at: datetime) -> list[tuple[int, UUID, int]]:
    return driver(session).execute(_DUE, (bucket, at, at, AT_ONCE)).fetchall()


def _bound_buckets(session: Session, at: datetime) -> list[int]:
    return [row[0] for row in driver(session).execute(_BOUND_BUCKETS, (at,))]


def _bound(session: Session, bucket: int, at: datetime) -> list[tuple[int, UUID]]:
    return driver(session).execute(_BOUND, (bucket, at, AT_ONCE)).fetchall()


def _end_offline(session: Session, bucket: int, owner: int, order: UUID, *, at: datetime) -> bool:
    row = driver(session).execute(_END_OFFLINE, (bucket, owner, order, at)).fetchone()
    return row == (True,)
