"""The runtime starts from nothing, starts again with what it had, and leaves nothing running."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy as sa

from app.embedded.errors import BinaryMissing, EmbeddedRefused, HomeUnusable
from app.embedded.postgres import Postgres
from app.embedded.runtime import Given, Runtime, running
from tests.embedded.conftest import OWNER, Owner, none_left, processes_of

START_S_MAX = 5.0


def block_number(rpc_url: str, method: str = "eth_blockNumber") -> str:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).encode()
    request = urllib.request.Request(rpc_url, body, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=10) as answer:
        return str(json.load(answer)["result"])


def users_of(pids: list[int]) -> set[int]:
    """Give the real users of the processes that are still there when asked."""
    found: set[int] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text("utf-8")
            found.add(int(status.split("Uid:")[1].split()[0]))
    return found


def cache_at(url: str) -> redis.Redis:
    return redis.Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType] -- untyped kwargs


def test_it_starts_from_nothing_and_again_with_what_it_had(home: Path) -> None:
    with Runtime(home, tune="test") as first:
        before = first.addresses
        assert first.check() == {"postgres": None, "redis": None, "chain": None}
        with psycopg.connect(before.database_url) as connection:
            connection.execute("create table kept as select 42 as answer")
        with cache_at(before.redis_url) as cache:
            cache.set("lost", "on purpose")
        block_number(before.chain_rpc_url, "evm_mine")
        mined = block_number(before.chain_rpc_url)
    assert none_left(home)

    begun = time.monotonic()
    with Runtime(home, tune="test") as second:
        assert time.monotonic() - begun < START_S_MAX
        assert second.addresses == before, "addresses stay, the chain's port included"
        engine = sa.create_engine(second.addresses.database_url)
        with engine.connect() as connection:
            assert connection.execute(sa.text("select answer from kept")).scalar() == 42
        engine.dispose()
        with cache_at(second.addresses.redis_url) as cache:
            assert cache.get("lost") is None
        assert block_number(second.addresses.chain_rpc_url) == mined
    assert none_left(home)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_leaves_no_process_when_asked_to_stop(
    home: Path, own: Callable[..., Owner], how: signal.Signals
) -> None:
    owner = own()
    assert len(processes_of(home)) > 3
    owner.end(how)
    assert none_left(home, patience_s=1.0)
    assert "shut down" in (home / "logs" / "postgres.log").read_text("utf-8")


def test_it_gives_the_second_starter_one_clear_error(home: Path, own: Callable[..., Owner]) -> None:
    owner = own()
    with pytest.raises(EmbeddedRefused) as refused:
        Runtime(home, tune="test").start()
    assert refused.value.code == "embedded.owned"
    assert f"process {owner.process.pid}" in str(refused.value)
    with psycopg.connect(owner.database_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,), "the first one is unharmed"


def test_it_lets_exactly_one_of_four_simultaneous_starters_win(home: Path) -> None:
    words = [sys.executable, str(OWNER), str(home)]
    starters = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said: list[dict[str, object]] = []
    for starter in starters:
        assert starter.stdout is not None
        said.append(json.loads(starter.stdout.readline()))
    assert sorted(str(one.get("code", "won")) for one in said) == ["embedded.owned"] * 3 + ["won"]
    for starter in starters:
        starter.terminate()
        starter.communicate(timeout=60)


def test_it_tells_other_processes_where_it_runs(home: Path, own: Callable[..., Owner]) -> None:
    assert running(home) is None
    owner = own()
    found = running(home)
    assert found is not None
    assert found.database_url == owner.database_url
    owner.end(signal.SIGTERM)
    assert running(home) is None


def test_it_uses_a_given_database_instead_of_its_own(home: Path) -> None:
    with Postgres(home / "elsewhere", "test") as theirs:
        given = Given(database_url=theirs.url)
        with Runtime(home / "mine", given, tune="test") as runtime:
            assert runtime.addresses.database_url == theirs.url
            assert set(runtime.check()) == {"redis", "chain"}
            assert not (home / "mine" / "postgres").exists()
        assert theirs.check() is None, "a given server is not ours to stop"


def test_it_starts_nothing_when_all_three_are_given(home: Path) -> None:
    given = Given("postgresql://db/city", "redis://cache", "http://chain")
    with Runtime(home, given) as runtime:
        assert runtime.check() == {}
        assert processes_of(home) == []
        assert runtime.addresses.redis_url == "redis://cache"


def test_it_leaves_nothing_running_when_one_child_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> Path:
        raise BinaryMissing("no anvil here")

    monkeypatch.setattr("app.embedded.chain.find_program", absent)
    runtime = Runtime(home, tune="test")
    with pytest.raises(BinaryMissing):
        runtime.start()
    assert none_left(home, patience_s=1.0)
    monkeypatch.undo()
    with runtime:
        assert runtime.check()["chain"] is None, "and it can be started again"


def test_it_puts_the_signal_handlers_back(home: Path) -> None:
    # Another runtime of this process may be running: then the handler is its own already.
    found = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Runtime(home, Given("a", "b", "c")):
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_runs_as_an_ordinary_user(home: Path, own: Callable[..., Owner]) -> None:
    nobody = 65534
    shutil.chown(home, nobody, nobody)
    owner = own(home, nobody)
    assert owner.said["check"] == {"postgres": None, "redis": None, "chain": None}
    assert users_of(processes_of(home)) == {nobody}
    assert (home / "postgres" / "PG_VERSION").stat().st_uid == nobody
    assert home.stat().st_mode & 0o777 == 0o700
    owner.end(signal.SIGTERM)
    assert none_left(home, patience_s=1.0)


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root only")
def test_it_keeps_the_database_away_from_root_even_in_a_closed_folder(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with Postgres(closed / "city", "test") as postgres:
        assert postgres.check() is None
        assert postgres.pid is not None
        assert 0 not in users_of([postgres.pid])
    assert closed.stat().st_mode & 0o777 == 0o700, "nothing was opened up"


def test_it_refuses_a_home_that_cannot_be_made(home: Path) -> None:
    (home / "file").write_text("in the way", "utf-8")
    with pytest.raises(HomeUnusable, match="TANPU_HOME"):
        Runtime(home / "file").start()
