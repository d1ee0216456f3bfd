"""What the client behind the breaker promises of Redis, on a real one that hangs, ends, forgets."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.embedded.redis import Redis as Server
from app.kernel.redis import PAUSE_S, WAIT_S, Redis, RedisAway

if TYPE_CHECKING:
    from redis import Redis as Client

EXTRA_S_MAX = 0.25
"""What a Redis that hangs may add to a request."""
GONE_S_MAX = 0.05


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path).start()
    yield made
    if made.pid is not None:
        os.kill(made.pid, signal.SIGCONT)
    made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def redis(server: Server, clock: Clock) -> Iterator[Redis]:
    made = Redis(server.url, clock=clock)
    yield made
    made.close()


def ping(client: "Client") -> bool:
    return bool(client.ping())


def pipelined(client: "Client") -> list[int]:
    pipeline = client.pipeline()
    pipeline.pttl("none")
    pipeline.pttl("spent")
    return pipeline.execute()


def seconds_away(redis: Redis) -> float:
    """How long Redis takes to be away."""
    begun = time.monotonic()
    with pytest.raises(RedisAway):
        redis.ask(ping)
    return time.monotonic() - begun


def hang(server: Server) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)


def test_the_commands_that_we_use_answer_as_we_read_them(redis: Redis) -> None:
    assert redis.ask(ping) is True
    assert redis.ask(lambda client: client.set("spent", b"", ex=30)) is True
    assert redis.ask(lambda client: client.pttl("none")) == -2
    assert 29_000 < redis.ask(lambda client: client.pttl("spent")) <= 30_000
    none, spent = redis.ask(pipelined)
    assert none == -2
    assert spent > 0


@pytest.mark.parametrize("is_warm", [True, False], ids=["connected", "connecting"])
def test_one_that_hangs_costs_little_once_and_nothing_after(
    server: Server, redis: Redis, *, is_warm: bool
) -> None:
    import_module("redis")  # the first import is not what is timed
    if is_warm:
        redis.ask(ping)
    hang(server)
    assert WAIT_S / 2 < seconds_away(redis) <= EXTRA_S_MAX
    assert max(seconds_away(redis) for _ in range(20)) < GONE_S_MAX


def test_only_one_caller_tries_once_the_pause_is_over(
    server: Server, redis: Redis, clock: Clock
) -> None:
    redis.ask(ping)
    hang(server)
    seconds_away(redis)
    clock.seconds += PAUSE_S
    with ThreadPoolExecutor(8) as pool:
        tried = [pool.submit(seconds_away, redis) for _ in range(8)]
    assert sum(each.result() > WAIT_S / 2 for each in tried) == 1


def test_it_is_asked_again_when_it_is_back(server: Server, redis: Redis, clock: Clock) -> None:
    redis.ask(ping)
    hang(server)
    seconds_away(redis)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGCONT)
    seconds_away(redis)
    clock.seconds += PAUSE_S
    assert redis.ask(ping) is True
    assert redis.ask(ping) is True


def test_one_that_is_gone_costs_next_to_nothing(server: Server, redis: Redis, clock: Clock) -> None:
    redis.ask(ping)
    server.stop()
    assert seconds_away(redis) < GONE_S_MAX
    server.start()
    clock.seconds += PAUSE_S
    assert redis.ask(ping) is True


def test_no_address_is_told() -> None:
    away = Redis("redis://:hunter2@127.0.0.1:1/0")
    with pytest.raises(RedisAway) as told:
        away.ask(ping)
    assert "hunter2" not in f"{away!r} {told.value!r} {told.value.__cause__!r}"


def test_what_a_question_raises_itself_is_no_news_of_redis(redis: Redis) -> None:
    def broken(_client: "Client") -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        redis.ask(broken)
    assert redis.ask(ping) is True
