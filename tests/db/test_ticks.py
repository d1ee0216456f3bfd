"""What the ticker wakes does its work, and again does nothing more."""

from datetime import UTC, datetime, timedelta

from app.city import City
from app.embedded.runtime import Addresses
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.ticks import JOBS, by_month, forget_whereabouts, keep_partitions, settle_months, sweep_jobs
from methodologies import CATALOG

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


def city(db: Database, worker_db: Database, keys: Keys, settings: Settings) -> City:
    return City(
        settings=settings,
        addresses=Addresses(db.url, "", ""),
        owner_url=db.url,
        keys=keys,
        db=db,
        worker_db=worker_db,
        audit_db=db,
    )


def test_every_job_has_a_name_of_its_own_and_a_pause() -> None:
    assert len({name for name, _, _ in JOBS}) == len(JOBS)
    assert all(every >= timedelta(seconds=1) for _, every, _ in JOBS)


def test_the_jobs_of_the_database_run_on_an_empty_city_and_again(
    db: Database, worker_db: Database, keys: Keys, settings: Settings
) -> None:
    there = city(db, worker_db, keys, settings)
    for job in (keep_partitions, settle_months, forget_whereabouts, sweep_jobs):
        job(there, AT)
        job(there, AT)


def test_only_what_runs_by_the_month_is_settled_so() -> None:
    settled = {document.code for document in CATALOG.values() if by_month(document)}
    assert "TP-HOUSEHOLD" in settled
    assert "SHCER-POWER" not in settled, "it lacks a parameter"
