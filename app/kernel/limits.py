"""Limits (限流): how often somebody may do something, within any stretch of a window's length.

PostgreSQL counts, so that a Redis that dies, is emptied or drops a key under memory pressure
never hands out a second budget: switching over multiplies a budget by exactly one. Redis keeps
the news that a budget is spent, so that a flood is turned away without a statement; without Redis
the flood costs two statements each, and is turned away all the same.

A window is counted in sixtieths, the one that is running out counted whole: never more than
``most`` in any window, and up to a sixtieth of it later again.
"""

import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlmodel import Session

from app.kernel.db import Connection, Database, driver
from app.kernel.problems import Refusal
from app.kernel.redis import Redis, RedisAway

if TYPE_CHECKING:
    from redis.client import Pipeline

PARTS: Final = 60
IPV4_BITS: Final = 24
IPV6_BITS: Final = 64
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('limit_use ' || %s, 0))"
_TAKE: Final = """
with used as (
  select coalesce(sum(uses), 0)::int as n, min(slot) as oldest from limit_use
   where name = %(name)s and who = %(who)s and slot >= %(since)s),
taken as (
  insert into limit_use (name, who, slot, uses, kept_until)
  select %(name)s, %(who)s, %(slot)s, 1, %(until)s from used where n < %(most)s
  on conflict (name, who, slot) do update set uses = limit_use.uses + 1
  returning 1)
select n, oldest, exists (select from taken) from used"""
_SWEEP: Final = "delete from limit_use where kept_until < %s"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in any stretch of ``window``."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Left:
    """What remains of a limit, and in how long one more comes back."""

    limit: Limit
    remaining: int
    reset_s: int

    def headers(self) -> Mapping[str, str]:
        """Tell it as draft-ietf-httpapi-ratelimit-headers does.

        >>> Left(Limit("codes.network", 20, timedelta(hours=1)), 19, 60).headers()["RateLimit"]
        '"codes.network";r=19;t=60'
        """
        name, window_s = self.limit.name, int(self.limit.window.total_seconds())
        return {
            "RateLimit-Policy": f'"{name}";q={self.limit.most};w={window_s}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.reset_s}',
        }


class LimitExceeded(Refusal):
    """Too often; try again after the time that Retry-After names."""

    code = "limits.exceeded"
    status = 429
    title_zh = "操作过于频繁，请稍后再试"

    def __init__(self, left: Left) -> None:
        """Name the limit and when it lets somebody through again."""
        super().__init__(limit=left.limit.name, retry_after_s=left.reset_s)
        self.left = left

    def headers(self) -> Mapping[str, str]:
        """Tell when to come again, and under which policy."""
        return {"Retry-After": str(self.left.reset_s), **self.left.headers()}


Use = tuple[Limit, bytes]
"""A limit, and the keyed hash of whoever it counts."""


class Limits:
    """The limits of one city."""

    def __init__(self, db: Database, redis: Redis) -> None:
        """Count in ``db``; remember in ``redis`` who has nothing left."""
        self._db, self._redis = db, redis

    def take(self, uses: Sequence[Use], *, at: datetime) -> Sequence[Left]:
        """Take one of each limit, or none of any; gives what is left of each.

        Name the narrow ones first: they are locked in this order, and a caller whose own budget
        is spent never waits for, nor takes from, one that is shared by all.

        Raises:
            LimitExceeded: One of them is spent.
        """
        spent = self._remembered(uses)
        if spent is not None:
            raise LimitExceeded(spent)
        try:
            return self._db.transact(take, uses, at=at)
        except LimitExceeded as refusal:
            self._remember(uses, refusal.left)
            raise

    def _remembered(self, uses: Sequence[Use]) -> Left | None:
        keys = [_key(use) for use in uses]
        try:
            waits_ms = self._redis.ask(
                lambda client: _waits_ms(client.pipeline(transaction=False), keys)
            )
        except RedisAway:
            return None
        for (limit, _), wait_ms in zip(uses, waits_ms, strict=True):
            if wait_ms > 0:
                return Left(limit, 0, math.ceil(wait_ms / 1000))
        return None

    def _remember(self, uses: Sequence[Use], spent: Left) -> None:
        (key,) = (_key(use) for use in uses if use[0] == spent.limit)
        try:
            self._redis.ask(lambda client: client.set(key, b"", ex=spent.reset_s))
        except RedisAway:
            return


def network_of(address: str) -> str:
    """Give the network that an address is counted under: its /24, or its /64 where it is IPv6.

    >>> network_of("203.0.113.77"), network_of("::ffff:203.0.113.77"), network_of("2001:db8::1")
    ('203.0.113.0/24', '203.0.113.0/24', '2001:db8::/64')
    >>> network_of("unix")
    'unix'
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = IPV4_BITS if found.version == 4 else IPV6_BITS  # noqa: PLR2004 -- of the protocol
    return str(ipaddress.ip_network((found, bits), strict=False))


def take(session: Session, uses: Iterable[Use], *, at: datetime) -> Sequence[Left]:
    """Take one of each limit within the caller's own database work; see :meth:`Limits.take`.

    Raises:
        LimitExceeded: One of them is spent; whoever lets this pass by keeps what was taken.
    """
    connection = driver(session)
    return [_take_one(connection, limit, who, at) for limit, who in uses]


def look(session: Session, use: Use, *, at: datetime) -> None:
    """Pass whoever has one left, and take none; nobody takes of it until the caller is done.

    For what counts only if it fails.

    Raises:
        LimitExceeded: It is spent.
    """
    limit, who = use
    try:
        _take_one(driver(session), replace(limit, most=0), who, at)
    except LimitExceeded as shown:
        used = -shown.left.remaining
        if used >= limit.most:
            raise LimitExceeded(replace(shown.left, limit=limit, remaining=0)) from None


def sweep(session: Session, *, at: datetime) -> int:
    """Forget uses that count no longer; gives how many rows went."""
    return driver(session).execute(_SWEEP, (at,)).rowcount


def _take_one(connection: Connection, limit: Limit, who: bytes, at: datetime) -> Left:
    part = limit.window / PARTS
    slot = EPOCH + (at - EPOCH) // part * part
    facts = {
        "name": limit.name,
        "who": who,
        "slot": slot,
        "since": slot - limit.window,
        "until": slot + limit.window + part,
        "most": limit.most,
    }
    connection.execute(_LOCK, (limit.name + who.hex(),))
    row = connection.execute(_TAKE, facts).fetchone()
    assert row is not None, limit
    used, oldest, is_taken = row
    back_at = (oldest or slot) + limit.window + part
    left = Left(limit, limit.most - used - is_taken, math.ceil((back_at - at).total_seconds()))
    if not is_taken:
        raise LimitExceeded(left)
    return left


def _key(use: Use) -> str:
    return f"tanpu:limit:{use[0].name}:{use[1].hex()}"


def _waits_ms(pipeline: "Pipeline", keys: Iterable[str]) -> list[int]:
    for key in keys:
        pipeline.pttl(key)
    return pipeline.execute()
