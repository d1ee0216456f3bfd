"""The ticker (定时器): one thread that wakes jobs, in however many workers run.

APScheduler only ticks. A row in ``job`` makes a slot run once: the unique (name, slot) is the
correctness, whoever ticks. A slot whose worker died, or whose job failed, is taken up again
after its lease; so each job is looked at once a lease, however seldom its slots are.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.background import BackgroundScheduler
from sqlmodel import Session

from app.city import City
from app.kernel.clock import now, wall
from app.kernel.db import driver
from app.kernel.metrics import JOB_FAILURES
from app.ticks import JOBS

LEASE: Final = timedelta(minutes=15)
"""How long a slot may be silent before another worker takes it up."""
LOOK: Final = timedelta(seconds=5)
"""In a sandbox, whose clock may be advanced, each job is looked at so often."""
CLAIM: Final = """
insert into job as j (name, slot) values (%(name)s, %(slot)s)
on conflict (name, slot) do update set begun_at = now(), attempts = j.attempts + 1
 where j.done_at is null and j.begun_at < now() - %(lease)s
returning 1"""
DONE: Final = "update job set done_at = now() where name = %s and slot = %s"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Something that must happen once a slot."""

    name: str
    every: timedelta
    act: Callable[[City, datetime], None]
    """Idempotent: a slot is run again if its worker died before it was done."""


class Worker(AbstractContextManager["Worker"]):
    """Ticks while the ``with`` block lasts, beside whatever else the process does."""

    def __init__(self, city: City) -> None:
        """Start nothing yet."""
        self._city = city
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(_report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)

    def __enter__(self) -> Self:
        """Begin to tick."""
        longest = LOOK if self._city.settings.sandbox else LEASE
        for name, every, act in JOBS:
            job = Job(name, every, act)
            self._scheduler.add_job(
                run_slot,
                "interval",
                args=(self._city, job),
                seconds=min(every, longest).total_seconds(),
                id=name,
                replace_existing=True,
                next_run_time=wall(),
            )
        self._scheduler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the running job end, and tick no more."""
        self._scheduler.shutdown(wait=True)


def run_slot(city: City, job: Job) -> bool:
    """Run ``job`` for the slot of this moment, unless somebody has; says whether it ran."""
    at = now()
    slot = slot_of(at, job.every)
    if not city.worker_db.transact(_claim, name=job.name, slot=slot):
        return False
    job.act(city, at)
    city.worker_db.transact(_done, name=job.name, slot=slot)
    return True


def slot_of(at: datetime, every: timedelta) -> datetime:
    """Give the beginning of the slot in which an instant lies.

    >>> slot_of(datetime(2026, 1, 1, 0, 0, 59, tzinfo=UTC), timedelta(minutes=1)).second
    0
    """
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def _claim(session: Session, *, name: str, slot: datetime) -> bool:
    found = driver(session).execute(CLAIM, {"name": name, "slot": slot, "lease": LEASE})
    return found.fetchone() is not None


def _done(session: Session, *, name: str, slot: datetime) -> None:
    driver(session).execute(DONE, (name, slot))


def _report(outcome: JobExecutionEvent) -> None:
    name: str = outcome.job_id
    JOB_FAILURES.labels(name).inc()
    log.error("job failed or missed", job=name, exc_info=outcome.exception)
