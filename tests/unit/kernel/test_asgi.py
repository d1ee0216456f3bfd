"""The layers around the application."""

import pytest
from fastapi import FastAPI, Response
from starlette.testclient import TestClient

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
