"""The ticker: a slot runs once whoever ticks, dead workers' slots are taken up, jobs repeat."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session
from structlog.testing import capture_logs

from app import worker
from app.chains import chain_of
from app.city import City
from app.embedded.chain import Chain as Anvil
from app.embedded.runtime import Addresses
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.ticks import JOBS
from app.worker import LEASE, Job, Worker, run_slot, slot_of
from tests.support.acts import rows
from tests.support.anchoring import accruals
from tests.support.chain import anvil

LONG = timedelta(days=1)
THREADS = 8


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("worker-chain")) as started:
        yield started


@pytest.fixture
def city(
    db: Database, worker_db: Database, node: Anvil, tmp_path: Path, database_url: str
) -> Iterator[City]:
    audit_db = Database(database_url, role="tanpu_audit")
    yield City(
        settings=Settings(tanpu_home=tmp_path),
        addresses=Addresses(database_url, "redis://127.0.0.1:1", node.url),
        owner_url=database_url,
        keys=Keys(tmp_path / "keys", make_missing=True),
        db=db,
        worker_db=worker_db,
        audit_db=audit_db,
    )
    audit_db.dispose()


class Counted:
    """A job that counts its runs, and fails as often as it is told."""

    def __init__(self, fails: int = 0) -> None:
        self.runs = 0
        self.fails = fails
        self._lock = threading.Lock()

    def __call__(self, city: City, at: datetime) -> None:
        del city, at
        with self._lock:
            self.runs += 1
            failing = self.runs <= self.fails
        if failing:
            raise ZeroDivisionError("13800138000")


def slots(city: City, name: str) -> list[tuple[bool, int]]:
    """Whether each slot is done, and how often it was begun."""
    query = "select done_at is not null, attempts from job where name = %s order by slot"
    return [(done, attempts) for done, attempts in rows(city.audit_db, query, name)]


def grow_old(city: City, name: str, by: timedelta) -> None:
    """Let time pass for the claims of a job."""

    def command(session: Session) -> None:
        driver(session).execute(
            "update job set begun_at = begun_at - %s where name = %s", (by, name)
        )

    city.worker_db.transact(command)


def test_a_slot_runs_once_under_many_threads(city: City) -> None:
    act = Counted()
    job = Job("once", LONG, act)
    ran: list[bool] = []
    start = threading.Barrier(THREADS, timeout=20)

    def tick() -> None:
        start.wait()
        ran.append(run_slot(city, job))

    threads = [threading.Thread(target=tick) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(ran) == [False] * (THREADS - 1) + [True]
    assert act.runs == 1
    assert slots(city, "once") == [(True, 1)]
    assert run_slot(city, job) is False


def test_each_slot_is_run(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    act, at = Counted(), now()
    for minute in range(3):
        monkeypatch.setattr(worker, "now", partial(at.__add__, timedelta(minutes=minute)))
        assert run_slot(city, Job("each", timedelta(minutes=1), act))
    assert act.runs == 3
    assert slots(city, "each") == [(True, 1)] * 3


def test_a_failed_or_dead_workers_slot_is_taken_up_after_its_lease_alone(city: City) -> None:
    act = Counted(fails=1)
    job = Job("dies", LONG, act)
    with pytest.raises(ZeroDivisionError):
        run_slot(city, job)
    assert slots(city, "dies") == [(False, 1)]
    assert run_slot(city, job) is False, "its lease still runs"
    grow_old(city, "dies", LEASE + timedelta(seconds=1))
    assert run_slot(city, job) is True
    assert slots(city, "dies") == [(True, 2)]
    grow_old(city, "dies", LEASE * 2)
    assert run_slot(city, job) is False, "what is done stays done"
    assert act.runs == 2


def test_one_of_many_takes_a_dead_workers_slot_up(city: City) -> None:
    act = Counted(fails=1)
    job = Job("dies", LONG, act)
    with pytest.raises(ZeroDivisionError):
        run_slot(city, job)
    grow_old(city, "dies", LEASE * 2)
    ran: list[bool] = []
    threads = [
        threading.Thread(target=lambda: ran.append(run_slot(city, job))) for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ran.count(True) == 1
    assert act.runs == 2


def test_the_ticker_reports_a_failing_job_and_goes_on(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good, seen = Counted(fails=99), Counted(), threading.Event()

    def after(one: City, at: datetime) -> None:
        good(one, at)
        seen.set()

    monkeypatch.setattr(worker, "JOBS", (("bad", LONG, bad), ("good", LONG, after)))
    with capture_logs() as logged, Worker(city):
        assert seen.wait(20)
        for _ in range(200):
            if bad.runs and any(line["event"].startswith("job failed") for line in logged):
                break
            threading.Event().wait(0.05)
    assert [line["job"] for line in logged if line["log_level"] == "error"] == ["bad"]
    assert slots(city, "bad") == [(False, 1)]
    assert slots(city, "good") == [(True, 1)]


def test_a_seldom_job_is_looked_at_once_a_lease(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE", timedelta(seconds=1))
    act = Counted(fails=1)
    monkeypatch.setattr(worker, "JOBS", (("seldom", LONG, act),))
    with capture_logs(), Worker(city):
        for _ in range(200):
            if act.runs >= 2:
                break
            threading.Event().wait(0.05)
    assert slots(city, "seldom") == [(True, 2)]


def test_slots_begin_on_whole_multiples() -> None:
    at = datetime.fromisoformat("2026-03-01T10:07:59.5+08:00")
    assert slot_of(at, timedelta(minutes=5)).isoformat() == "2026-03-01T02:05:00+00:00"
    assert slot_of(at, LONG).isoformat() == "2026-03-01T00:00:00+00:00"


@pytest.mark.parametrize("name", [name for name, _, _ in JOBS])
def test_every_job_may_be_run_again(city: City, keys: Keys, name: str) -> None:
    accruals(city.db, city.keys, 3)
    del keys
    act = next(act for each, _, act in JOBS if each == name)
    at = now() + timedelta(days=2)
    act(city, at)
    counted = [
        "select count(*)::int from epoch",
        "select count(*)::int from transfer",
        "select count(*)::int from log_entry",
        "select count(*)::int from submission",
        "select count(*)::int from pg_inherits",
    ]
    before = [rows(city.audit_db, query) for query in counted]
    for _ in range(2):
        act(city, at)
    assert [rows(city.audit_db, query) for query in counted] == before


def test_the_anchor_job_anchors_what_is_due(city: City) -> None:
    accruals(city.db, city.keys, 3)
    act = next(act for name, _, act in JOBS if name == "anchor")
    act(city, now() + timedelta(days=2))
    assert chain_of(city).tip() == 1
    assert rows(city.audit_db, "select count(*)::int from log_pending") == [(0,)]


def test_a_chain_that_is_away_ends_the_tick_and_no_more(city: City) -> None:
    accruals(city.db, city.keys, 3)
    away = replace(city, addresses=replace(city.addresses, chain_rpc_url="http://127.0.0.1:1"))
    for name in ("anchor", "declare-methodologies"):
        act = next(act for each, _, act in JOBS if each == name)
        with capture_logs() as logged:
            act(away, now() + timedelta(days=2))
        assert [line["log_level"] for line in logged] == ["warning"]
    assert rows(city.audit_db, "select count(*)::int from epoch") == [(1,)], "closed all the same"
    act = next(act for each, _, act in JOBS if each == "anchor")
    act(city, now() + timedelta(days=2))
    assert chain_of(city).tip() == 1


def test_old_slots_are_swept_and_unfinished_ones_kept(city: City) -> None:
    for name, act in (("swept", Counted()), ("kept", Counted(fails=1))):
        try:
            run_slot(city, Job(name, LONG, act))
        except ZeroDivisionError:
            assert name == "kept"
    sweep = next(act for name, _, act in JOBS if name == "sweep-jobs")
    sweep(city, now())
    assert slots(city, "swept") == [(True, 1)]
    sweep(city, now() + timedelta(days=8))
    assert slots(city, "swept") == []
    assert slots(city, "kept") == [(False, 1)]
