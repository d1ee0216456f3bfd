"""What the application says of requests that it cannot serve: problem documents, never a 500."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.city import City
from app.main import create_app

BODY_MAX = 256 * 1024
GETS = ["/", "/health", "/ready", "/docs", "/openapi.json", "/v1/public/epochs"]


@pytest.mark.parametrize(
    ("language", "title", "code"),
    [
        ("zh-CN,zh;q=0.9", "没有找到", "zh"),
        ("en", "There is nothing here, or nothing that you may see.", "en"),
        ("", "There is nothing here, or nothing that you may see.", "en"),
        ("fr,zh;q=0.5,en;q=0.4", "没有找到", "zh"),
    ],
)
def test_an_unknown_address_is_said_in_the_readers_language(
    client: TestClient, language: str, title: str, code: str
) -> None:
    answer = client.get("/v1/nowhere", headers={"accept-language": language})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == code
    said = answer.json()
    assert said["title"] == title
    assert said["code"] == "request.not_found"
    assert said["instance"] == "/v1/nowhere"
    assert said["request_id"] == answer.headers["x-request-id"]
    assert said["request_id"].startswith("req_")
    assert said["retryable"] is False


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
def test_another_method_is_refused(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["code"] == "request.method_unknown"


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/public/epochs", "/"])
def test_a_large_body_is_refused_anywhere(client: TestClient, path: str) -> None:
    answer = client.post(path, content=b"x" * (BODY_MAX + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")

    def parts() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * (BODY_MAX // 4)

    answer = client.post(path, content=parts())
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    assert client.post(path, content=b"x" * BODY_MAX).status_code in {404, 405}


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "９", "99999999999999999999999999"])
def test_a_length_that_is_none_is_refused(client: TestClient, length: str) -> None:
    answer = client.post("/v1/nowhere", headers={b"content-length": length.encode()})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/v1/%00",
        "/v1/public/%00",
        "/v1/public/epochs/%00",
        "/v1/public/epochs/1%00",
        "/v1/public/epochs?before=%00",
        "/v1/public/tile/%00",
        "/v1/activity-batches/%00",
        "/v1/activity-batches/bat_%00",
        "/static-offline-docs/%00",
        "/static-offline-docs/..%2f..%2fmain.py",
        "/static-offline-docs/%2e%2e/%2e%2e/main.py",
        "/%ff%fe",
        "/v1/public/epochs/%ed%a0%80",
        "/" + "a" * 20_000,
    ],
)
def test_odd_addresses_are_refused_and_nothing_breaks(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert 400 <= answer.status_code < 500, answer.text
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "with space", "新新新新新新新新", "a\tb-----"]
)
def test_a_request_id_of_another_form_is_not_repeated(client: TestClient, given: str) -> None:
    answer = client.get("/v1/nowhere", headers={b"x-request-id": given.encode()})
    assert answer.headers["x-request-id"].startswith("req_")
    assert given not in answer.text


def test_a_database_that_is_away_is_503_with_a_hint_when_to_try_again(elsewhere: City) -> None:
    with TestClient(
        create_app(elsewhere.settings, elsewhere), raise_server_exceptions=False
    ) as client:
        answer = client.get("/v1/public/epochs")
    assert answer.status_code == 503
    assert answer.json()["code"] == "server.unavailable"
    assert answer.json()["retryable"] is True
    assert int(answer.headers["retry-after"]) > 0


def test_a_defect_says_nothing_of_its_inside(city: City) -> None:
    def broken() -> None:
        raise ZeroDivisionError("13800138000")

    app = create_app(city.settings, city)
    app.add_api_route("/broken", broken)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["code"] == "server.defect"
    assert "13800138000" not in answer.text
    assert "ZeroDivision" not in answer.text
