"""Traces (链路追踪), behind the extra ``telemetry``: one span a request, named by its route.

A span carries method, route template, status and the request id, which is the trace's own where
the caller gave none. What a caller typed or comes from,
the path, the query, the address and the agent, is taken out again before it is kept.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from app.kernel.asgi import given_id
from app.kernel.routing import ByWords

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span

SERVICE: Final = "tanpu"
EXPORT_TIMEOUT_S: Final = 5
TYPED: Final = (
    "client.address", "client.port", "http.target", "http.url", "http.user_agent", "net.peer.ip",
    "net.peer.port", "url.full", "url.path", "url.query", "user_agent.original",
)  # fmt: skip
TAKEN_OUT: Final = "-"


class TelemetryMissing(Exception):  # noqa: N818 -- names a state of the installation
    """OTLP_ENDPOINT is set, and the extra ``telemetry`` is not installed (缺少链路追踪依赖)."""


def exporter(endpoint: str) -> "SpanProcessor":
    """Send spans to an OTLP collector, in batches, never waiting for it in a request.

    Raises:
        TelemetryMissing: The extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 -- likewise
    except ImportError as error:
        raise TelemetryMissing("install tanpu[telemetry], or unset OTLP_ENDPOINT") from error
    return BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=EXPORT_TIMEOUT_S))


def trace(app: FastAPI, processor: "SpanProcessor") -> None:
    """Give every request of ``app`` a span, kept by ``processor``."""
    from opentelemetry.instrumentation.fastapi import (  # noqa: PLC0415 -- an extra
        FastAPIInstrumentor,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 -- likewise
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 -- likewise

    provider = TracerProvider(resource=Resource({"service.name": SERVICE}))
    provider.add_span_processor(processor)
    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=provider,
        server_request_hook=_without_what_was_typed,
        exclude_spans=["receive", "send"],
    )


def _without_what_was_typed(span: "Span", scope: dict[str, Any]) -> None:
    for name in TYPED:
        span.set_attribute(name, TAKEN_OUT)
    trace_id = f"{span.get_span_context().trace_id:032x}"
    scope["request_id"] = given_id(scope) or trace_id
    span.set_attribute("tanpu.request_id", scope["request_id"])
    route = _template_of(scope)
    if route is not None:
        span.update_name(f"{scope['method']} {route}")
        span.set_attribute("http.route", route)


def _template_of(scope: Mapping[str, Any]) -> str | None:
    """Name the route; the library asks the shortcut of ``ByWords`` first, which has no name."""
    asked = [each for each in scope["app"].routes if not isinstance(each, ByWords)]
    for context in iter_route_contexts(asked):
        if context.matches(scope)[0] is Match.FULL:
            return context.path
    return None
