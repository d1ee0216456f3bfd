"""What a process counts (进程计数): requests, refusals by code, failed jobs.

Served on a port of its own. A label is a route's template, a code or a job's name: never an id,
a phone number or a path that somebody typed. Figures about the books come from the database
(``app.figures``).
"""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REGISTRY: Final = CollectorRegistry()
REFUSALS: Final = Counter(
    "tanpu_refusals", "Refusals and defects told to a caller, by code.", ["code"], registry=REGISTRY
)
REQUESTS: Final = Counter(
    "tanpu_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
SECONDS: Final = Histogram(
    "tanpu_request_seconds",
    "Time from a request to the end of its answer.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
JOB_FAILURES: Final = Counter(
    "tanpu_job_failures", "Runs of a job that failed.", ["job"], registry=REGISTRY
)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED: Final = "unmatched"
ABORTED: Final = "aborted"


class Counted:
    """Counts and times each request under the template of its route."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count how it was answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = ABORTED
        begun = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", UNMATCHED)
            method = scope["method"] if scope["method"] in METHODS else "other"
            REQUESTS.labels(method, route, status).inc()
            SECONDS.labels(route).observe(time.perf_counter() - begun)
