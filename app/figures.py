"""Figures of the books (账簿指标): what an operator watches first, read from the database.

Asked at each scrape, at most every ten seconds, as the auditor's role, which can change nothing.
When the database is away there are no figures but ``tanpu_figures_up 0``: no old number stands in.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Final

import psycopg
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.anchoring.supply import supply_rows
from app.city import City
from app.kernel.clock import now, wall
from app.kernel.db import driver
from app.kernel.metrics import REGISTRY
from ledger.audit import check_clearing, check_supply
from ledger.header import Header

FRESH_S: Final = 10.0
BOUND: Final = "set local statement_timeout = '3s'"
_LAST: Final = "select epoch, header from epoch order by epoch desc limit 1"
_PENDING: Final = "select count(*), min(uuid_extract_timestamp(id)) from log_pending"
_LAG: Final = """
select count(*) filter (where a.epoch is null), count(*) filter (where a.final_at is null),
       min(e.closed_at) filter (where a.epoch is null),
       min(e.closed_at) filter (where not exists (select from submission s where s.epoch = e.epoch))
  from epoch e left join anchored a on a.epoch = e.epoch"""
_WEBHOOKS: Final = """
select min(d.due_at) from webhook_delivery d join webhook_endpoint e on e.id = d.endpoint
 where d.state = 'waiting' and e.off_at is null"""
_JOBS: Final = "select name, max(done_at) from job group by name order by name"


@dataclass(frozen=True, slots=True)
class Figures:
    """How the books stand at an instant."""

    unbalanced: int
    """Classes of assets whose books do not sum to zero: anything but 0 is an alarm."""
    pending_rows: int
    pending_age_s: float
    epoch: int
    unanchored: int
    unfinal: int
    anchor_lag_s: float
    outbox_age_s: float
    webhook_age_s: float
    job_age_s: Mapping[str, float]


def figures_of(session: Session, *, at: datetime) -> Figures:
    """Read the figures in one snapshot; six statements, none of them over all entries."""
    connection = driver(session)
    connection.execute(BOUND)
    pending = connection.execute(_PENDING).fetchone()
    lag = connection.execute(_LAG).fetchone()
    webhooks = connection.execute(_WEBHOOKS).fetchone()
    assert pending is not None
    assert lag is not None
    assert webhooks is not None
    epoch, unbalanced = 0, 0
    if last := connection.execute(_LAST).fetchone():
        epoch, rows = last[0], list(supply_rows(connection, epoch=last[0]))
        found = [*check_supply(rows, Header.of(last[1])), *check_clearing(rows)]
        unbalanced = len(found)
    jobs = {
        name: _age(done, at)
        for name, done in connection.execute(_JOBS).fetchall()
        if done is not None
    }
    return Figures(
        unbalanced, pending[0], _age(pending[1], at), epoch, lag[0], lag[1], _age(lag[2], at),
        _age(lag[3], at), _age(webhooks[0], wall()), jobs,
    )  # fmt: skip


def _age(since: datetime | None, at: datetime) -> float:
    return 0.0 if since is None else max(0.0, (at - since.astimezone(UTC)).total_seconds())


class Books(Collector):
    """Gives a scraper the figures of one city."""

    def __init__(self, city: City) -> None:
        """Read nothing yet."""
        self._city = city
        self._lock = Lock()
        self._read_at = -FRESH_S
        self._figures: Figures | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the figures, or that there are none."""
        figures = self._current()
        yield GaugeMetricFamily(
            "tanpu_figures_up", "1 while the figures can be read.", float(figures is not None)
        )
        if figures is not None:
            yield from families(figures)

    def _current(self) -> Figures | None:
        with self._lock:
            if time.monotonic() - self._read_at >= FRESH_S:
                self._read_at = time.monotonic()
                try:
                    self._figures = self._city.audit_db.read(figures_of, at=now())
                except (SQLAlchemyError, psycopg.Error):
                    self._figures = None
            return self._figures


def families(figures: Figures) -> Iterator[GaugeMetricFamily]:
    """Name each figure, as dashboards and alerts do."""
    for name, meaning, value in (
        ("tanpu_books_unbalanced", "Asset classes that do not sum to zero.", figures.unbalanced),
        ("tanpu_log_pending_rows", "Entries that await an epoch.", figures.pending_rows),
        ("tanpu_log_pending_age_seconds", "Age of the oldest of them.", figures.pending_age_s),
        ("tanpu_epoch", "The newest closed epoch.", figures.epoch),
        ("tanpu_unanchored_epochs", "Closed epochs not seen on the chain.", figures.unanchored),
        ("tanpu_unfinal_epochs", "Closed epochs not final on the chain.", figures.unfinal),
        ("tanpu_anchor_lag_seconds", "Since the oldest of them closed.", figures.anchor_lag_s),
        ("tanpu_outbox_age_seconds", "Since the oldest unsigned one closed.", figures.outbox_age_s),
        ("tanpu_webhook_age_seconds", "Since the oldest webhook was due.", figures.webhook_age_s),
    ):
        yield GaugeMetricFamily(name, meaning, float(value))
    ages = GaugeMetricFamily(
        "tanpu_job_age_seconds", "Since a job last did its work.", labels=["job"]
    )
    for job, age in figures.job_age_s.items():
        ages.add_metric([job], age)
    yield ages


def registry_of(city: City) -> CollectorRegistry:
    """Put what this process counts and what the city's books say into one registry."""
    made = CollectorRegistry()
    made.register(_Forwarded())
    made.register(Books(city))
    return made


class _Forwarded(Collector):
    """The process's own counters, which outlive any one city."""

    def collect(self) -> Iterable[Metric]:
        return REGISTRY.collect()


def serve_metrics(city: City, host: str, port: int) -> None:
    """Serve ``/metrics`` on a port of its own, in a thread that ends with the process.

    Raises:
        OSError: The port is taken.
    """
    start_http_server(port, host, registry_of(city))
