"""Straight to the one router: the same answers as by asking each, whatever the path."""

from itertools import product

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Match
from starlette.testclient import TestClient
from starlette.types import Scope

from app.kernel.routing import ByWords

PATHS = (
    ("/health", "GET"),
    ("/v1/a/one", "GET"),
    ("/v1/a/one", "POST"),
    ("/v1/a/{name}", "GET"),
    ("/v1/a/two", "GET"),
    ("/v1/b/{name}/deep", "GET"),
    ("/v1/b/x/{rest:path}", "GET"),
    ("/v1/{kind}/c/d", "GET"),
    ("/v1/e/f/g", "GET"),
    ("/v1/e/f/{name}", "GET"),
    ("/v1/e/f/h", "DELETE"),
    ("/v1/e/f", "GET"),
    ("/v1/e", "GET"),
    ("/v1/z", "POST"),
    ("/", "GET"),
)
ASKED = ["/", "", "/health", "/health/", "/healthy", "/v1", "/v2/a/one"] + [
    "/".join(("", "v1", *words)).removesuffix("/-")
    for words in product(
        "abez", ("one", "two", "x", "c", "f", "", "-"), ("deep", "d", "g", "h", "-")
    )
]


def application(*, straight: bool) -> TestClient:
    """Every path in a router of its own, in this order."""
    app = FastAPI(openapi_url=None)
    for number, (path, method) in enumerate(PATHS):
        router = APIRouter()

        def told(number: int = number) -> int:
            return number

        router.add_api_route(path, told, methods=[method])
        app.include_router(router)
    if straight:
        app.router.routes.insert(0, ByWords(app.routes))
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nothing_is_answered_otherwise(method: str) -> None:
    one, other = application(straight=False), application(straight=True)
    answers = 0
    for path in ASKED:
        expected = one.request(method, f"http://testserver{path}")
        found = other.request(method, f"http://testserver{path}")
        assert (found.status_code, found.text) == (expected.status_code, expected.text), path
        answers += found.status_code == 200
    assert answers


def test_what_one_router_alone_answers_meets_no_other() -> None:
    app = FastAPI(openapi_url=None)
    for path in ("/v1/a", "/v1/b/{name}", "/v1/b/c/d", "/v1/e", "/v1/e/f/{name}"):
        app.add_api_route(path, lambda: None)
    straight = ByWords(app.routes)

    def answers(path: str) -> bool:
        scope: Scope = {"type": "http", "method": "GET", "path": path}
        return straight.matches(scope)[0] is Match.FULL

    asked = ("/v1/a", "/v1/e", "/v1/e/f/g", "/v1/b/c/d", "/v1/b/c", "/v1/z")
    assert [answers(path) for path in asked] == [True, True, True, False, False, False]
