"""What a kill leaves behind does not keep the next start from finding every committed row."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from app.embedded.chain import Chain
from app.embedded.errors import HomeUnusable
from app.embedded.identity import identity_of
from app.embedded.postgres import Postgres
from app.embedded.runtime import Runtime
from tests.embedded.conftest import Owner, kill_everything, none_left, processes_of
from tests.support.chain import until

KILLS = int(os.environ.get("TANPU_KILLS", "5"))


def write_until_it_breaks(url: str, acknowledged: list[int]) -> None:
    """Commit one row after the other, and note each once the server has said so."""
    number = acknowledged[-1] if acknowledged else 0
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                number += 1
                connection.execute("insert into acked values (%s)", [number])
                acknowledged.append(number)
    except psycopg.OperationalError:
        return


def test_it_recovers_every_acknowledged_row_after_kill_9_of_everything(
    home: Path, own: Callable[..., Owner]
) -> None:
    """Goal: no row lost, no start refused. Method: five kills of all processes, mid-write."""
    acknowledged: list[int] = []
    for kill in range(KILLS):
        owner = own()
        with psycopg.connect(owner.database_url) as connection:
            connection.execute("create table if not exists acked (number bigint)")
            kept = {row[0] for row in connection.execute("select number from acked")}
        assert kept >= set(acknowledged)
        words = (owner.database_url, acknowledged)
        writer = threading.Thread(target=write_until_it_breaks, args=words)
        writer.start()
        time.sleep(0.2 + 0.05 * kill)
        assert kill_everything(home) > 3
        writer.join(30)
        assert not writer.is_alive()
        owner.process.wait(10)
    assert len(acknowledged) > 100
    with Runtime(home, tune="test") as runtime:
        with psycopg.connect(runtime.addresses.database_url) as connection:
            kept = {row[0] for row in connection.execute("select number from acked")}
        assert runtime.check() == {"postgres": None, "redis": None, "chain": None}
    assert kept >= set(acknowledged)


def test_it_takes_its_children_along_when_killed(home: Path, own: Callable[..., Owner]) -> None:
    owner = own()
    owner.end(signal.SIGKILL)
    assert none_left(home), "the kernel stops the children of a killed owner"


def test_it_recovers_when_only_the_postmaster_was_killed(home: Path) -> None:
    postgres = Postgres(home, "test").start()
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.check() is None:
        time.sleep(0.01)
    postgres.stop()
    with postgres:
        assert postgres.check() is None


def test_it_stops_a_server_that_an_earlier_owner_left_behind(home: Path) -> None:
    """A child whose parent-death signal did not reach it: alive, and recorded."""
    left = Postgres(home, "test").start()
    stranded = left.pid
    assert stranded is not None
    left._ownership.release()  # pyright: ignore[reportPrivateUsage] -- as its death would
    with Postgres(home, "test") as mine:
        assert mine.pid != stranded
        assert mine.check() is None
        assert identity_of(stranded) is None
    left.stop()


def test_it_does_not_stop_a_process_that_merely_has_the_recorded_pid(home: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (home / "run").mkdir()
        (home / "run" / "redis.pid").write_text(f"{stranger.pid} 1 some-other-boot\n", "utf-8")
        with Runtime(home, tune="test"):
            assert stranger.poll() is None
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_it_starts_although_a_stranger_has_the_old_postmasters_pid(home: Path) -> None:
    with Postgres(home, "test") as postgres:
        lines = (postgres.data / "postmaster.pid").read_text("utf-8").splitlines()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        stale = home / "postgres" / "postmaster.pid"
        stale.write_text("\n".join([str(stranger.pid), *lines[1:], ""]), "utf-8")
        with postgres:
            assert postgres.check() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_it_makes_the_cluster_anew_when_the_first_start_was_cut_off(home: Path) -> None:
    half = home / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n", "utf-8")
    with Postgres(home, "test") as postgres:
        assert postgres.check() is None
    assert not half.exists()


def test_it_refuses_the_data_of_another_major_version(home: Path) -> None:
    with Postgres(home, "test") as postgres:
        pass
    (postgres.data / "PG_VERSION").write_text("17\n", "utf-8")
    with pytest.raises(HomeUnusable, match="pg_upgrade"):
        postgres.start()
    assert processes_of(home) == []


def test_it_falls_back_to_the_last_whole_chain_state(home: Path) -> None:
    chain = Chain(home).start()
    port = chain.url
    until(chain.state.exists)  # anvil answers before it listens to signals
    chain.stop()
    whole = chain.state.read_bytes()
    chain.state.write_bytes(whole[: len(whole) // 2])
    chain.start()
    assert chain.check() is None
    assert chain.url == port
    assert chain.notice is not None
    chain.stop()
    assert json.loads(chain.state.read_bytes())
    assert (home / "chain" / "state.broken.json").stat().st_size == len(whole) // 2


def test_it_moves_to_another_port_when_its_own_is_taken(home: Path) -> None:
    first = Chain(home / "one").start()
    second = Chain(home / "two")
    try:
        (home / "two" / "chain").mkdir(parents=True)
        (home / "two" / "chain" / "port").write_text(first.url.rpartition(":")[2], "utf-8")
        second.start()
        assert second.url != first.url
        assert second.check() is None
    finally:
        second.stop()
        first.stop()
