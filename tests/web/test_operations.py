"""Front page, health, readiness, documents: what an operator and a passer-by see."""

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app.city import City
from app.embedded.runtime import Addresses
from app.kernel.db import Database
from app.main import create_app
from tests.web.conftest import Servers

EXTRA_S_MAX = 0.25
"""What a Redis that hangs may add to an answer."""
UNDOCUMENTED = {"/", "/docs", "/docs/oauth2-redirect", "/v1/public/surveys/{link}/form"}
"""Pages for people, and what a page sends; the rest of the application is in openapi.json."""


@contextmanager
def stopped(pid: int) -> Generator[None]:
    """Let a process hang: it keeps its sockets and answers nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture
def silent() -> Iterator[str]:
    """Address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for each in kept:
            each.close()


def ready_of(city: City) -> tuple[int, dict[str, str], float]:
    """Ask /ready of an application over a city: status, checks, seconds."""
    with TestClient(create_app(city.settings, city)) as client:
        begun = time.monotonic()
        answer = client.get("/ready")
        seconds = time.monotonic() - begun
    if answer.status_code == 503:
        assert answer.json()["status"] == "unavailable"
        assert int(answer.headers["retry-after"]) > 0
    return answer.status_code, answer.json()["checks"], seconds


def test_the_front_page_speaks_chinese_and_english(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'lang="zh' in page.text
    assert 'lang="en"' in page.text
    assert "碳普" in page.text
    for link in re.findall(r'href="([^"]+)"', page.text):
        assert link.startswith("/"), "nothing of another host"
        assert client.get(link).status_code in {200, 503}, link


def test_the_front_page_escapes_what_it_is_told(city: City) -> None:
    odd = city.settings.model_copy(update={"origin": "<script>alert('x')</script>&$env"})
    with TestClient(create_app(odd, replace(city, settings=odd))) as client:
        page = client.get("/").text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&amp;$env" in page


def test_it_is_healthy_whatever_is_away(elsewhere: City) -> None:
    with TestClient(create_app(elsewhere.settings, elsewhere)) as client:
        answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_ready_when_everything_answers(city: City) -> None:
    status, checks, _ = ready_of(city)
    assert (status, checks) == (200, {"database": "ok", "redis": "ok", "chain": "ok"})


@pytest.mark.parametrize("server", ["database", "redis", "chain"])
def test_it_names_the_server_that_is_away(city: City, elsewhere: City, server: str) -> None:
    one = {
        "database": replace(city, db=elsewhere.db),
        "redis": replace(
            city, addresses=replace(city.addresses, redis_url=elsewhere.addresses.redis_url)
        ),
        "chain": replace(
            city, addresses=replace(city.addresses, chain_rpc_url=elsewhere.addresses.chain_rpc_url)
        ),
    }[server]
    status, checks, seconds = ready_of(one)
    assert status == 503
    assert {name for name, said in checks.items() if said != "ok"} == {server}
    assert seconds < 2


def test_all_may_be_away_at_once(elsewhere: City) -> None:
    status, checks, _ = ready_of(elsewhere)
    assert status == 503
    assert "ok" not in checks.values()


def test_a_redis_that_hangs_adds_little(city: City, servers: Servers) -> None:
    """Each city here has a breaker of its own, which nobody has tripped."""
    usual = min(ready_of(city)[2] for _ in range(3))
    assert servers.redis.pid is not None
    with stopped(servers.redis.pid):
        tried = [(each, *ready_of(each)) for each in (replace(city) for _ in range(3))]
        each, status, checks, seconds = min(tried, key=lambda found: found[3])
        assert ready_of(each)[1]["redis"] == "ConnectionError", "the breaker says the same"
    assert status == 503
    assert {name: said for name, said in checks.items() if said != "ok"} == {
        "redis": "ConnectionError"
    }
    assert seconds - usual <= EXTRA_S_MAX
    assert ready_of(city)[0] == 200


def test_a_chain_that_hangs_is_named_in_time(city: City, silent: str) -> None:
    status, checks, seconds = ready_of(
        replace(city, addresses=replace(city.addresses, chain_rpc_url=f"http://{silent}"))
    )
    assert status == 503
    assert {name for name, said in checks.items() if said != "ok"} == {"chain"}
    assert seconds < 5


def test_a_database_that_hangs_is_named_in_time(city: City, silent: str) -> None:
    hanging = Database(f"postgresql://nobody@{silent}/none", pool_size=1)
    status, checks, seconds = ready_of(replace(city, db=hanging))
    hanging.dispose()
    assert status == 503
    assert {name for name, said in checks.items() if said != "ok"} == {"database"}
    assert seconds < 5


def test_readiness_tells_no_address(elsewhere: City) -> None:
    secret = Addresses(
        elsewhere.addresses.database_url, "redis://:hunter2@127.0.0.1:1/0", "http://127.0.0.1:1/k3y"
    )
    with TestClient(create_app(elsewhere.settings, replace(elsewhere, addresses=secret))) as client:
        said = client.get("/ready").text
    assert "hunter2" not in said
    assert "k3y" not in said
    assert "127.0.0.1" not in said


def test_the_documents_need_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    fetched = re.findall(r"""(?:src|href)=["']([^"']+)["']|url:\s*["']([^"']+)["']""", page.text)
    assert len(fetched) >= 3
    for pair in fetched:
        link = "".join(pair)
        assert not urlsplit(link).netloc, link
        assert client.get(link).status_code == 200, link
    style = client.get(next("".join(p) for p in fetched if ".css" in "".join(p))).text
    assert not re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style)


def test_the_api_names_no_other_host(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "servers" not in document or all(
        not urlsplit(server["url"]).netloc for server in document["servers"]
    )
    assert "http://" not in str(document).replace("http://json-schema.org", "")


def routes_of(routes: list[object]) -> Iterator[APIRoute]:
    """Go through routes, those of included routers as well."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (inner := getattr(route, "original_router", None)) is not None:
            yield from routes_of(inner.routes)


def test_every_route_is_documented_and_every_document_routed(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    documented = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    routed = {
        (re.sub(r":\w+}", "}", route.path), method)
        for route in routes_of(list(app.routes))
        for method in (route.methods or set()) - {"OPTIONS"}  # what a browser asks before it asks
        if route.path not in UNDOCUMENTED
    }
    assert documented == routed
    for path, methods in paths.items():
        for method, said in methods.items():
            assert said["summary"], (path, method)
            assert said["description"], (path, method)
            assert said["tags"], (path, method)
