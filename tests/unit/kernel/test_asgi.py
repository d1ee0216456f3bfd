"""The layers around the application."""

import re
from typing import NamedTuple

import pytest
from fastapi import FastAPI, Response
from starlette.routing import compile_path
from starlette.testclient import TestClient

from app.kernel.asgi import BODY_MAX
from app.kernel.http import install


@pytest.mark.parametrize(
    ("path", "said", "told"),
    [
        ("/v1/forgotten", None, "no-store"),
        ("/v1/timid", "no-cache", "no-store"),
        ("/v1/own", "private, max-age=60", "no-store"),
        ("/v1/open", "public, max-age=60", "public, max-age=60"),
        ("/elsewhere", None, None),
    ],
)
def test_an_answer_of_the_api_is_kept_only_where_it_says_public(
    path: str, said: str | None, told: str | None
) -> None:
    def endpoint() -> Response:
        return Response(headers={} if said is None else {"Cache-Control": said})

    app = FastAPI()
    install(app)
    app.add_api_route(path, endpoint)
    assert TestClient(app).get(path).headers.get("cache-control") == told


class Noted(NamedTuple):
    """A path's pattern that says what it was asked."""

    pattern: re.Pattern[str]
    asked: list[str]

    def match(self, path: str) -> re.Match[str] | None:
        self.asked.append(path)
        return self.pattern.match(path)


def test_what_any_path_takes_asks_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates are looked at for bodies past the ordinary limit alone: not at each request."""
    app, asked = FastAPI(), list[str]()
    install(app, body_max={"/files/{name}": 2 * BODY_MAX})
    app.add_api_route("/files/{name}", lambda: None, methods=["POST"])

    def noted(path: str) -> tuple[Noted]:
        return (Noted(compile_path(path)[0], asked),)

    monkeypatch.setattr("app.kernel.asgi.compile_path", noted)
    client = TestClient(app)
    assert client.post("/files/a", content=bytes(BODY_MAX)).status_code == 200
    assert asked == []
    assert client.post("/files/a", content=bytes(BODY_MAX + 1)).status_code == 200
    assert client.post("/files/a", content=bytes(2 * BODY_MAX + 1)).status_code == 413
    assert client.post("/other", content=bytes(BODY_MAX + 1)).status_code == 413
    assert asked
