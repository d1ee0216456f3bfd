"""Traces (链路追踪): a span a request, and nothing in it that somebody typed."""

import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from app.city import City
from app.kernel import tracing
from app.main import create_app


@pytest.fixture
def app(city: City) -> FastAPI:
    """One of our own: what was given spans gives them for good."""
    return create_app(city.settings, city)


@pytest.mark.parametrize("path", ["/v1/public/epochs/77", "/13800000000"])
def test_a_span_names_the_route_and_holds_nothing_typed(app: FastAPI, path: str) -> None:
    kept = InMemorySpanExporter()
    tracing.trace(app, SimpleSpanProcessor(kept))
    with TestClient(app) as client:
        headers = {"user-agent": "phone-of-zhang", "x-request-id": "walk-00000001"}
        assert client.get(f"{path}?who=zhang", headers=headers).status_code == 404
    (span,) = kept.get_finished_spans()
    told = span.to_json()
    assert "zhang" not in told
    assert "13800000000" not in told
    assert "testclient" not in told
    assert span.attributes is not None
    assert span.attributes["tanpu.request_id"] == "walk-00000001"
    if "epochs" in path:
        assert span.name == "GET /v1/public/epochs/{epoch}"


def test_without_an_id_of_the_caller_the_trace_names_the_request(app: FastAPI) -> None:
    kept = InMemorySpanExporter()
    tracing.trace(app, SimpleSpanProcessor(kept))
    with TestClient(app) as client:
        named = client.get("/health").headers["x-request-id"]
    (span,) = kept.get_finished_spans()
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == named


def test_nothing_is_traced_unless_asked(app: FastAPI) -> None:
    assert not getattr(app, "_is_instrumented_by_opentelemetry", False)
