"""What the ticker wakes does its work, and again does nothing more."""

from datetime import UTC, datetime, timedelta
from functools import partial

from structlog.testing import capture_logs

from app.catalogue import approve_scenario, end_approval
from app.city import City
from app.embedded.runtime import Addresses
from app.governance import warn_of_renewals
from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.ticks import (
    JOBS,
    by_month,
    correct_factors,
    forget_whereabouts,
    keep_partitions,
    run_shadow_runs,
    settle_months,
    sweep_jobs,
    watch_renewals,
)
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
    for job in (
        keep_partitions,
        settle_months,
        watch_renewals,
        run_shadow_runs,
        correct_factors,
        forget_whereabouts,
        sweep_jobs,
    ):
        job(there, AT)
        job(there, AT)


def test_a_renewal_that_is_due_is_warned_of_once_a_run(
    db: Database, worker_db: Database, keys: Keys, settings: Settings
) -> None:
    today = day_of(AT)
    scenario, last = CATALOG["SZ-METRO", 1].scenario, today + timedelta(days=91)
    approve = partial(approve_scenario, valid_from=today, valid_until=last, letter="test")
    db.transact(approve, scenario)
    assert warn_of_renewals(db, at=AT) == 0
    day_90 = last - timedelta(days=1)
    db.transact(end_approval, scenario, valid_from=today, last=day_90)
    assert warn_of_renewals(db, at=AT) == 1
    with capture_logs() as logs:
        watch_renewals(city(db, worker_db, keys, settings), AT)
    (line,) = [each for each in logs if each["event"] == "governance.renewal_due"]
    assert (line["scenario"], line["days_left"], line["log_level"]) == (scenario, 91, "warning")


def test_only_what_runs_by_the_month_is_settled_so() -> None:
    settled = {document.code for document in CATALOG.values() if by_month(document)}
    assert "TP-HOUSEHOLD" in settled
    assert "SHCER-POWER" not in settled, "it lacks a parameter"
