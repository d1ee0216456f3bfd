"""Limits: exact in any window, whoever counts at once, and whatever becomes of Redis."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.embedded.redis import Redis as Server
from app.kernel.db import Database, driver
from app.kernel.limits import PARTS, Limit, LimitExceeded, Limits, sweep
from app.kernel.redis import Redis

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
HOUR = Limit("test.hour", 5, timedelta(hours=1))
ALL = Limit("test.all", 8, timedelta(hours=1))
ALICE, BOB, CITY = (bytes([each]) * 32 for each in (1, 2, 3))
EXTRA_S_MAX = 0.25


@pytest.fixture(params=["redis", "nowhere"])
def limits(request: pytest.FixtureRequest, db: Database) -> Limits:
    """With Redis, and with none: every promise holds for both."""
    return Limits(db, request.getfixturevalue(request.param))


def takes(limits: Limits, count: int, at: datetime = NOW, who: bytes = ALICE) -> int:
    """How many of so many tries got through."""
    through = 0
    for _ in range(count):
        try:
            limits.take([(HOUR, who)], at=at)
        except LimitExceeded:
            continue
        through += 1
    return through


def rows(db: Database) -> int:
    found = db.read(lambda s: driver(s).execute("select sum(uses) from limit_use").fetchone())
    assert found is not None
    return found[0] or 0


def test_what_is_left_is_told(limits: Limits) -> None:
    told = [limits.take([(HOUR, ALICE)], at=NOW)[0].remaining for _ in range(5)]
    assert told == [4, 3, 2, 1, 0]
    with pytest.raises(LimitExceeded) as spent:
        limits.take([(HOUR, ALICE)], at=NOW)
    headers = spent.value.headers()
    assert headers["RateLimit-Policy"] == '"test.hour";q=5;w=3600'
    assert headers["RateLimit"] == f'"test.hour";r=0;t={headers["Retry-After"]}'
    assert int(headers["Retry-After"]) == 3660


def test_one_does_not_spend_anothers(limits: Limits) -> None:
    assert takes(limits, 7) == 5
    assert takes(limits, 7, who=BOB) == 5


def test_a_refusal_takes_from_none(limits: Limits, db: Database) -> None:
    for _ in range(5):
        limits.take([(HOUR, ALICE), (ALL, CITY)], at=NOW)
    for _ in range(3):
        with pytest.raises(LimitExceeded):
            limits.take([(HOUR, ALICE), (ALL, CITY)], at=NOW)
    for _ in range(3):
        limits.take([(HOUR, BOB), (ALL, CITY)], at=NOW)
    with pytest.raises(LimitExceeded) as spent:
        limits.take([(HOUR, BOB), (ALL, CITY)], at=NOW)
    assert spent.value.left.limit is ALL
    assert rows(db) == 16


def test_many_at_once_get_no_more(limits: Limits) -> None:
    with ThreadPoolExecutor(8) as pool:
        counted = [pool.submit(takes, limits, 3) for _ in range(8)]
    assert sum(each.result() for each in counted) == 5


@pytest.mark.parametrize("start", [0, 1, 59, 3599])
def test_it_comes_back_when_it_was_said_to(db: Database, nowhere: Redis, start: int) -> None:
    limits, at = Limits(db, nowhere), NOW + timedelta(seconds=start)
    assert takes(limits, 5, at) == 5
    with pytest.raises(LimitExceeded) as spent:
        limits.take([(HOUR, ALICE)], at=at)
    back = at + timedelta(seconds=spent.value.left.reset_s)
    assert HOUR.window < back - at <= HOUR.window * (PARTS + 1) / PARTS
    assert takes(limits, 1, back - timedelta(seconds=1)) == 0
    assert takes(limits, 9, back) == 5


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 2 * 3600), max_size=25))
def test_no_window_ever_holds_more(
    db: Database, worker_db: Database, nowhere: Redis, seconds: list[int]
) -> None:
    limits = Limits(db, nowhere)
    worker_db.transact(sweep, at=NOW + timedelta(days=9))
    through = [s for s in sorted(seconds) if takes(limits, 1, NOW + timedelta(seconds=s))]
    for first in through:
        assert sum(first <= each < first + 3600 for each in through) <= HOUR.most


def test_a_redis_that_dies_is_emptied_or_returns_hands_out_no_second_budget(
    db: Database, redis: Redis, nowhere: Redis
) -> None:
    with_redis, without = Limits(db, redis), Limits(db, nowhere)
    through = takes(with_redis, 3) + takes(without, 1)
    redis.ask(lambda client: client.flushall())
    through += takes(with_redis, 3) + takes(without, 3)
    redis.ask(lambda client: client.flushall())
    assert through + takes(with_redis, 3) == 5


def test_a_flood_is_turned_away_without_a_statement(db: Database, redis: Redis) -> None:
    assert takes(Limits(db, redis), 6) == 5
    away = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    assert takes(Limits(away, redis), 5) == 0
    away.dispose()


def test_a_redis_that_hangs_costs_a_request_little(
    db: Database, redis: Redis, server: Server
) -> None:
    limits = Limits(db, redis)
    usual = time.monotonic()
    takes(limits, 1)
    usual = time.monotonic() - usual
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert takes(limits, 1) == 1
        first = time.monotonic() - begun
        begun = time.monotonic()
        assert takes(limits, 9) == 3
        others = time.monotonic() - begun
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert first - usual <= EXTRA_S_MAX
    assert others < 9 * EXTRA_S_MAX / 2


def test_what_counts_no_longer_is_forgotten(
    db: Database, worker_db: Database, nowhere: Redis
) -> None:
    takes(Limits(db, nowhere), 5)
    assert worker_db.transact(sweep, at=NOW + HOUR.window) == 0
    assert worker_db.transact(sweep, at=NOW + timedelta(hours=2)) == 1
    assert rows(db) == 0


def test_who_is_a_hash_and_nothing_else(db: Database, nowhere: Redis) -> None:
    with pytest.raises(Exception, match="limit_use_who_check"):
        Limits(db, nowhere).take([(HOUR, b"+8613800000000")], at=NOW)
