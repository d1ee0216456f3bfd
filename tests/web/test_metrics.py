"""Metrics (指标): what is counted, what the figures say, and that dashboards name nothing else."""

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from socket import socket
from typing import Any

import psycopg
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session
from starlette.testclient import TestClient

from app.city import City
from app.figures import figures_of, registry_of, serve_metrics
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.metrics import JOB_FAILURES
from tests.support.anchoring import accruals
from tests.web.conftest import EPOCHS, FINAL

ROOT = Path(__file__).parents[2]
ALERTS: Any = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
DASHBOARD: Any = json.loads((ROOT / "deploy/grafana/tanpu.json").read_text(encoding="utf-8"))
METRIC = re.compile(r"\btanpu_\w+")


def expressions() -> Iterator[str]:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def served(city: City) -> dict[str, dict[tuple[str, ...], float]]:
    text = generate_latest(registry_of(city)).decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[values] = sample.value
    return found


@pytest.mark.usefixtures("notary")
def test_whatever_dashboards_and_alerts_name_is_served(city: City, client: TestClient) -> None:
    client.get("/v1/public/epochs/99999")
    JOB_FAILURES.labels("anchor").inc(0)
    city.worker_db.transact(_done_job)
    names = served(city).keys()
    wanted = {name for text in expressions() for name in METRIC.findall(text)}
    assert len(wanted) >= 12
    assert wanted <= names, sorted(wanted - names)


def test_refusals_and_requests_are_counted_by_code_and_template(
    city: City, client: TestClient
) -> None:
    before = served(city)
    assert client.get("/v1/public/epochs/99998").status_code == 404
    assert client.get("/13800000000/nowhere").status_code == 404
    after = served(city)

    def grew(name: str, *labels: str) -> float:
        return after[name].get(labels, 0) - before.get(name, {}).get(labels, 0)

    assert grew("tanpu_refusals_total", "request.not_found") == 2
    assert grew("tanpu_requests_total", "GET", "/v1/public/epochs/{epoch}", "404") == 1
    assert grew("tanpu_requests_total", "GET", "unmatched", "404") == 1
    assert "13800000000" not in str(after), "a path that somebody typed is no label"


@pytest.mark.usefixtures("notary")
def test_figures_say_how_far_the_chain_is(city: City) -> None:
    accruals(city.db, city.keys, 3)
    figures = city.audit_db.read(figures_of, at=now() + timedelta(minutes=5))
    assert figures.epoch == EPOCHS
    assert figures.unanchored == EPOCHS - FINAL
    assert figures.pending_rows == 3
    assert 300 <= figures.pending_age_s < 400
    assert figures.anchor_lag_s > 0
    assert figures.unbalanced == 0


@pytest.mark.usefixtures("notary", "books_left_broken")
def test_a_changed_supply_shows_as_unbalanced(city: City) -> None:
    with psycopg.connect(city.owner_url) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("update supply set debits = debits + 1")
    assert city.audit_db.read(figures_of, at=now()).unbalanced > 0


def test_without_a_database_there_are_no_figures_and_no_error(elsewhere: City) -> None:
    found = served(replace(elsewhere, audit_db=elsewhere.db))
    assert found["tanpu_figures_up"] == {(): 0}
    assert "tanpu_epoch" not in found


def test_they_are_served_on_a_port_of_their_own(
    city: City, app: FastAPI, client: TestClient
) -> None:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve_metrics(replace(city), "127.0.0.1", port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert b"tanpu_figures_up 1.0" in answer.read()
    assert client.get("/metrics").status_code == 404
    assert "/metrics" not in app.openapi()["paths"]


def _done_job(session: Session) -> None:
    driver(session).execute("insert into job (name, slot, done_at) values ('anchor', now(), now())")
