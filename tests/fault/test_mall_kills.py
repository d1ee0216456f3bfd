"""Kill -9 of the API and of PostgreSQL under sixteen clients (断电测试): nothing lost or doubled.

Goal: what was answered is done, once; what was not is done once or not at all, and the next try
finds out; afterwards all is as alive as before. Method: real processes over HTTP, each killed at a
random moment, clients that send the same again until they are answered; then every order, every
answer and the books are held to what was told (rows R2 and R3 of the plan). Two mutants of the
product show that the harness would notice: without them it proves nothing.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from typing import Final

import psycopg
import pytest

from app.embedded.postgres import Postgres
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.migrations import migrate
from tests.support.mall_load import Storm, callers, reconciled, replayed
from tests.support.nursery import KEY_LATER, Nursery
from tests.support.postgres import empty

KILLS: Final = int(os.environ.get("TANPU_KILLS", "60"))
SERVER_KILLS_MIN: Final = 8
SERVER_KILLS: Final = max(SERVER_KILLS_MIN, KILLS // 10)
MUTANT_KILLS: Final = 20
SEED: Final = random.randrange(2**32)
NOWHERE: Final = "127.0.0.1:1"
pytestmark = pytest.mark.timeout(7200 if KILLS > 60 else 300)


class Place:
    """A database that waits for its disk, and a parent of servers over it."""

    def __init__(self, postgres: Postgres, keys: Keys, nursery: Nursery) -> None:
        self.postgres, self.keys, self.nursery = postgres, keys, nursery

    def storm(self) -> Storm:
        empty(self.postgres.url)
        rng = random.Random(SEED)
        db = Database(self.postgres.url)
        made = callers(db, self.keys, self.nursery.port, rng)
        db.dispose()
        return Storm(made, rng)

    def afterwards(self, storm: Storm) -> list[str]:
        db = Database(self.postgres.url)
        try:
            return reconciled(storm, db, self.keys, self.postgres.url)
        finally:
            db.dispose()

    def kill_api(self, mutant: str = "") -> None:
        self.nursery.kill()
        self.nursery.start(mutant)

    def kill_postgres(self) -> None:
        assert self.postgres.pid is not None
        os.kill(self.postgres.pid, 9)
        while self.postgres.check() is None:
            time.sleep(0.01)
        self.postgres.stop()
        self.postgres.start()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("kills")
    with Postgres(home, tune="test") as postgres:
        migrate(postgres.url)
        keys = Keys(home / "keys", make_missing=True)
        environment = {
            "TANPU_HOME": str(home),
            "DATABASE_URL": postgres.url,
            "REDIS_URL": f"redis://{NOWHERE}/0",
            "CHAIN_RPC_URL": f"http://{NOWHERE}",
            "ORDERS_HOURLY_MAX": "1000000",
        }
        with Nursery(environment, home / "api.log") as nursery:
            yield Place(postgres, keys, nursery)


def assert_alive(storm: Storm) -> None:
    begun = time.monotonic()
    storm.until(100)
    assert time.monotonic() - begun < 10


def assert_nothing_happened(place: Place, storm: Storm, kills: int) -> None:
    sys.stdout.write(f"{storm}\n")
    assert place.afterwards(storm) == []
    assert replayed(storm) == []
    assert place.afterwards(storm) == []
    assert storm.faults == kills
    assert storm.acknowledged >= 500
    assert storm.in_flight >= 0.8 * kills


def test_it_loses_and_doubles_nothing_when_the_api_is_killed(place: Place) -> None:
    storm = place.storm()
    place.nursery.start()
    with storm.blowing():
        for _ in range(KILLS):
            storm.strike(place.kill_api)
        assert_alive(storm)
    assert_nothing_happened(place, storm, KILLS)
    place.nursery.kill()


def test_it_loses_and_doubles_nothing_when_postgres_is_killed(place: Place) -> None:
    storm = place.storm()
    place.nursery.start()
    with storm.blowing():
        for _ in range(SERVER_KILLS):
            storm.strike(place.kill_postgres)
            storm.until(60)
        assert_alive(storm)
    assert_nothing_happened(place, storm, SERVER_KILLS)
    place.nursery.kill()


# the harness would notice -----------------------------------------------------------------------
def test_a_key_that_is_claimed_after_its_deed_is_noticed(place: Place) -> None:
    storm = place.storm()
    place.nursery.start(KEY_LATER)
    with storm.blowing():
        for _ in range(MUTANT_KILLS):
            storm.strike(lambda: place.kill_api(KEY_LATER))
    place.nursery.kill()
    assert any(finding.startswith("doubled") for finding in place.afterwards(storm))


@pytest.fixture
def hasty(place: Place) -> Iterator[None]:
    """Let commits not wait for the disk."""
    url = place.postgres.maintenance_url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter database tanpu set synchronous_commit = off")
        connection.execute("alter system set wal_writer_delay = '2s'")
        connection.execute("select pg_reload_conf()")
    yield
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter database tanpu reset synchronous_commit")
        connection.execute("alter system reset wal_writer_delay")
        connection.execute("select pg_reload_conf()")


@pytest.mark.usefixtures("hasty")
def test_commits_that_do_not_wait_for_the_disk_are_noticed(place: Place) -> None:
    storm = place.storm()
    with psycopg.connect(place.postgres.maintenance_url, autocommit=True) as connection:
        connection.execute("checkpoint")  # the people stay; what they do is lost
    place.nursery.start()
    with storm.blowing():
        for _ in range(SERVER_KILLS_MIN):
            storm.strike(place.kill_postgres)
    place.nursery.kill()
    assert any(finding.startswith("lost") for finding in place.afterwards(storm))
