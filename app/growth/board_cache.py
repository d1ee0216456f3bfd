"""Boards in Redis (榜单缓存): a sorted set a board and period, built whole from rows or not there.

Redis may be emptied at any moment: a board that is missing is built again by whoever asks first,
and others are told to come back. It holds numbers of owners and milligrams, no name; who is still
on the board, and under which name, is asked of the database each time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from app.growth.boards import Board, Period
from app.kernel.http import Unavailable
from app.kernel.redis import Redis, RedisAway

if TYPE_CHECKING:
    from redis import Redis as Client

KEPT_S: Final = 3600
"""How old a board may grow; each says as of when it is."""
BUILDING_S: Final = 60
READ_MAX: Final = 200
CHUNK: Final = 5000
PREFIX: Final = "tanpu:board:"
Totals = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The head of a board as it was built."""

    as_of: datetime
    count: int
    head: Sequence[tuple[str, int]]
    """(owner or team, mg), the most first; equal amounts in a fixed order."""
    own_mg: int | None
    own_above: int
    """How many have more than the asker."""


class BoardCache:
    """The boards of one city."""

    def __init__(self, redis: Redis) -> None:
        """Keep boards in ``redis``."""
        self._redis = redis

    def board(
        self,
        board: Board,
        period: Period,
        own: str,
        build: Callable[[], Totals],
        *,
        at: datetime,
    ) -> Snapshot:
        """Give a board, built from rows first where it is missing.

        Raises:
            Unavailable: Redis is away, or somebody else is building it.
        """
        key = key_of(board, period)
        try:
            found = self._redis.ask(lambda client: _read(client, key, own))
            if found is None and self.rebuild(board, period, build, at=at):
                found = self._redis.ask(lambda client: _read(client, key, own))
        except RedisAway as error:
            raise Unavailable from error
        if found is None:
            raise Unavailable
        return found

    def rebuild(
        self, board: Board, period: Period, build: Callable[[], Totals], *, at: datetime
    ) -> bool:
        """Build a board from rows and put it in the place of the old one, in one step.

        Says whether it did; somebody else may be building it.

        Raises:
            RedisAway: The old one stands.
        """
        key = key_of(board, period)
        turn = f"{key}:building"
        if not self._redis.ask(lambda client: client.set(turn, "1", nx=True, ex=BUILDING_S)):
            return False
        rows = sorted(build().items())
        draft = f"{key}:draft:{at.timestamp()}"
        for first in range(0, len(rows), CHUNK):
            part = dict(rows[first : first + CHUNK])
            self._redis.ask(lambda client, part=part: _add(client, draft, part))
        facts = json.dumps({"as_of": at.isoformat(), "count": len(rows)})
        self._redis.ask(lambda client: _exchange(client, key, draft, facts, filled=bool(rows)))
        return True


def key_of(board: Board, period: Period) -> str:
    """Name a board's key."""
    return f"{PREFIX}{board.id}:{period.since.isoformat()}"


def _add(client: "Client", draft: str, part: Mapping[str, int]) -> None:
    pipeline = client.pipeline(transaction=True)
    pipeline.zadd(draft, dict(part))
    pipeline.expire(draft, BUILDING_S)
    pipeline.execute()


def _exchange(client: "Client", key: str, draft: str, facts: str, *, filled: bool) -> None:
    pipeline = client.pipeline(transaction=True)
    pipeline.delete(key)
    if filled:
        pipeline.rename(draft, key)
        pipeline.expire(key, KEPT_S)
    pipeline.set(f"{key}:facts", facts, ex=KEPT_S)
    pipeline.delete(f"{key}:building")
    pipeline.execute()


def _read(client: "Client", key: str, own: str) -> Snapshot | None:
    """Read a board in one step; one that lost rows is as if it were not there."""
    pipeline = client.pipeline(transaction=True)
    pipeline.get(f"{key}:facts")
    pipeline.zcard(key)
    pipeline.zrevrange(key, 0, READ_MAX - 1, withscores=True)
    pipeline.zscore(key, own)
    raw, count, head, own_mg = pipeline.execute()
    facts: dict[str, Any] = json.loads(raw) if raw else {}
    if facts.get("count") != count:
        return None
    above = 0 if own_mg is None else client.zcount(key, f"({own_mg:.0f}", "+inf")
    return Snapshot(
        as_of=datetime.fromisoformat(facts["as_of"]),
        count=count,
        head=[(member.decode(), int(mg)) for member, mg in head],
        own_mg=None if own_mg is None else int(own_mg),
        own_above=above,
    )
