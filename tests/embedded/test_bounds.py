"""Paths, logs and memory stay within what the machine gives."""

import threading
import time
from pathlib import Path

import psycopg
import pytest

from app.embedded.errors import HomeUnusable
from app.embedded.home import Ownership, prepare
from app.embedded.logs import bound
from app.embedded.postgres import Postgres
from app.embedded.redis import Redis
from app.embedded.sockets import PATH_BYTES_MAX, socket_folder
from app.embedded.tuning import memory_bytes, settings

KIB = 1 << 10


def test_it_serves_from_a_home_too_deep_for_a_socket(home: Path) -> None:
    deep = home / ("碳普惠" * 12) / ("d" * 60)
    with Postgres(deep, "test") as postgres:
        assert postgres.check() is None
        with psycopg.connect(postgres.url) as connection:
            found = connection.execute("select current_database()").fetchone()
    assert found == ("tanpu",)
    cache = Redis(deep).start()
    assert cache.check() is None
    cache.stop()


@pytest.mark.parametrize("name", ["with space", "it's", "50%,a=b", '"quoted"'])
def test_it_serves_from_a_home_with_an_awkward_name(home: Path, name: str) -> None:
    with Postgres(home / name, "test") as postgres:
        assert postgres.check() is None


def test_it_refuses_a_short_folder_that_others_may_enter(home: Path) -> None:
    deep = home / ("d" * PATH_BYTES_MAX)
    deep.mkdir()
    short = socket_folder(deep, "s", uid=deep.stat().st_uid)
    try:
        assert short != deep
        assert socket_folder(deep, "s", uid=deep.stat().st_uid) == short
        short.chmod(0o777)
        with pytest.raises(HomeUnusable, match="in the way"):
            socket_folder(deep, "s", uid=deep.stat().st_uid)
    finally:
        short.rmdir()


def test_it_bounds_a_log_under_a_writer_that_goes_on(home: Path) -> None:
    """Goal: no line half lost at the seam, no hole, twice the limit at most."""
    log = home / "child.log"
    line = b"x" * 99 + b"\n"
    over = threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as out:
            while not over.is_set():
                out.write(line)

    writer = threading.Thread(target=write)
    writer.start()
    moved = 0
    until = time.monotonic() + 10
    while moved < 5 and time.monotonic() < until:
        moved += bound(log, 64 * KIB)
    over.set()
    writer.join()
    assert moved == 5
    assert (home / "child.log.1").stat().st_size < 128 * KIB
    assert b"\0" not in log.read_bytes()


def test_it_keeps_the_newest_part_of_a_log_that_is_far_too_long(home: Path) -> None:
    log = home / "child.log"
    log.write_bytes(b"old" * 100 * KIB + b"newest")
    assert bound(log, KIB)
    assert log.stat().st_size == 0
    assert (home / "child.log.1").read_bytes().endswith(b"newest")
    assert (home / "child.log.1").stat().st_size == KIB
    assert not bound(log, KIB)
    assert not bound(home / "absent.log", KIB)


def test_it_lets_one_owner_in_and_the_next_after_it(home: Path) -> None:
    prepare(home)
    first, second = (Ownership(home / "run" / "lock") for _ in range(2))
    first.take()
    with pytest.raises(Exception, match="already run by process"):
        second.take()
    first.release()
    second.take()
    second.release()
    second.release()


@pytest.mark.parametrize("tune", ["city", "test"])
def test_it_is_durable_whatever_it_is_tuned_for(home: Path, tune: str) -> None:
    chosen = settings("city" if tune == "city" else "test", home, fsync=True)
    durable = ("fsync", "full_page_writes", "synchronous_commit")
    assert [chosen[name] for name in durable] == ["on", "on", "on"]
    assert chosen["listen_addresses"] == ""


def test_it_takes_a_quarter_of_the_memory_up_to_four_gib(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for memory_mib, shared_mib in [(256, 128), (2048, 512), (1 << 20, 4096)]:
        monkeypatch.setattr("app.embedded.tuning.memory_bytes", lambda m=memory_mib: m << 20)
        assert settings("city", home, fsync=True)["shared_buffers"] == f"{shared_mib}MB"
    monkeypatch.undo()
    assert memory_bytes() > 0


def test_it_has_checksums_and_says_what_it_was_told(home: Path) -> None:
    with Postgres(home, "test") as postgres, psycopg.connect(postgres.url) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()  # pyright: ignore[reportArgumentType, reportCallIssue] -- names are the literals below
            for name in ("data_checksums", "fsync", "shared_buffers", "server_encoding", "timezone")
        }
    assert shown == {
        "data_checksums": ("on",),
        "fsync": ("on",),
        "shared_buffers": ("128MB",),
        "server_encoding": ("UTF8",),
        "timezone": ("UTC",),
    }
