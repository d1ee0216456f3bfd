"""sqlmap on every free text (SQL 注入扫描): a process of its own against a server on loopback.

Free is a string of which the document gives no pattern, format or list. Each request is well
formed and shows who may send it; a hole planted on purpose is found by the same run.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, LiteralString, NamedTuple, cast

import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.http import install
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from tests.support.batches import Sender, Town, ride, sender
from tests.support.clerks import known
from tests.support.wallets import citizens, operator

ANY_TEXT: Final = "x00]*"
"""In the patterns of strings that leave out nothing but NUL."""
OPTIONS: Final = [
    "--batch",
    "--level",
    "1",
    "--risk",
    "1",
    "--technique",
    "BEUT",
    "--dbms",
    "postgresql",
    "--flush-session",
    "--retries",
    "0",
    "--timeout",
    "5",
    "--time-sec",
    "1",
    "--threads",
    "4",
    "--disable-coloring",
    "--ignore-code=*",
]
WITHIN_S: Final = 600
STOP_S: Final = 10
FOUND: Final = "identified the following injection point"
SIGNED: Final = "providerSignature"


class Target(NamedTuple):
    """A request whose free texts are marked with an asterisk."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str = ""

    def written(self, host: str) -> str:
        """Write it as a proxy's log does."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {text}" for name, text in self.headers.items()]
        return "\n".join([*lines, "", self.body])


class Dressed:
    """Gives each request a key of its own and, where one is asked for, a signature that holds."""

    def __init__(self, app: ASGIApp, signer: Sender | None = None) -> None:
        self._app, self._signer = app, signer
        self.seen: dict[int, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        message: Message = await receive()
        body: bytes = message.get("body", b"")
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        headers = {name: text for name, text in scope["headers"] if name != b"idempotency-key"}
        headers[b"idempotency-key"] = new_id().hex.encode()
        if self._signer and scope["path"].startswith(("/v1/activity-batches", "/v1/provider")):
            headers[b"host"] = b"testserver"
            query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
            raw = scope["raw_path"].decode() + query
            key = headers[b"idempotency-key"].decode()
            signed = self._signer.headers(scope["method"], raw, body=body, key=key)
            headers |= {name.lower().encode(): text.encode() for name, text in signed.items()}

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def counted(sent: Message) -> None:
            if sent["type"] == "http.response.start":
                self.seen[sent["status"]] = self.seen.get(sent["status"], 0) + 1
            await send(sent)

        await self._app({**scope, "headers": list(headers.items())}, again, counted)


@contextmanager
def served(app: ASGIApp) -> Generator[str]:
    """Serve on a port of loopback, in a thread; gives host and port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        until = time.monotonic() + STOP_S
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        try:
            yield f"127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_S)
            assert not thread.is_alive()


def scan(host: str, targets: list[Target], folder: Path) -> str:
    """Let sqlmap try every mark of every target; gives what it says."""
    log = folder / "requests.log"
    bar = "=" * 54
    log.write_text(
        "".join(f"{bar}\n{each.written(host)}\n{bar}\n\n" for each in targets), encoding="utf-8"
    )
    tool = Path(sys.executable).with_name("sqlmap")
    command = [str(tool), "-l", str(log), *OPTIONS, "--output-dir", str(folder / "out")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )
    return done.stdout + done.stderr


class Filler:
    """Writes well-formed requests from the document, a mark behind each free text."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._models = document["components"]["schemas"]

    def model(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        ref = schema.get("$ref")
        return schema if ref is None else self._models[ref.rpartition("/")[2]]

    def chosen(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the first of alternatives."""
        found = self.model(schema)
        kinds = found.get("oneOf") or found.get("anyOf")
        return found if kinds is None else {**self.chosen(kinds[0]), **_examples(found)}

    def is_free(self, schema: Mapping[str, Any]) -> bool:
        found = self.chosen(schema)
        fixed = {"enum", "const", "format"} & set(found)
        pattern = found.get("pattern")
        told = pattern is not None and ANY_TEXT not in pattern
        return found.get("type") == "string" and not fixed and not told

    def value(self, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON
        """Give a value of the schema, its free texts marked."""
        found = self.chosen(schema)
        if found.get("type") == "object":
            names: Mapping[str, Any] = found.get("properties", {})
            asked = set(found.get("required", ()))
            given = {n for n, each in names.items() if n in asked or self.is_free(each)}
            return {n: self.value(each) for n, each in names.items() if n in given}
        if self.is_free(schema):
            text = str((_examples(found).get("examples") or ["free text"])[0])
            return text.replace("*", "") + "*"
        return self._fixed(found)

    def _fixed(self, found: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON
        if "const" in found or "enum" in found:
            return found.get("const", (found.get("enum") or [None])[0])
        if "examples" in found:
            return found["examples"][0]
        plain: dict[str, Any] = {
            "integer": found.get("minimum", 1),
            "boolean": True,
            "array": [self.value(found["items"])] if "items" in found else [],
            "string": day_of(now()).isoformat(),
        }
        return plain.get(found.get("type", ""), "x")


def _examples(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"examples": schema["examples"]} if "examples" in schema else {}


def targets_of(document: Mapping[str, Any], show: Callable[[str], str | None]) -> list[Target]:
    """Give a request of every operation that reads a free text."""
    filler, found = Filler(document), list[Target]()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            scopes = [s for each in told.get("security", []) for ls in each.values() for s in ls]
            token = show(scopes[0]) if scopes else None
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            address, query = path, list[str]()
            for each in told.get("parameters", []):
                text = filler.value(each["schema"])
                if each["in"] == "path":
                    address = address.replace(f"{{{each['name']}}}", str(text).replace(" ", ""))
                elif each["in"] == "query" and (
                    each.get("required") or filler.is_free(each["schema"])
                ):
                    query.append(f"{each['name']}={str(text).replace(' ', '')}")
            address += "?" + "&".join(query) if query else ""
            for body, media in bodies(told, filler):
                sent = headers | ({"Content-Type": media} if media else {})
                if "*" in address or "*" in body:
                    found.append(Target(method.upper(), address, sent, body))
    return found


def bodies(told: Mapping[str, Any], filler: Filler) -> Iterator[tuple[str, str]]:
    """Give each form of an operation's body, and its media type."""
    content = told.get("requestBody", {}).get("content", {})
    if not content:
        yield "", ""
    for media, each in content.items():
        schema = filler.model(each["schema"])
        if media == "application/x-ndjson":
            yield ride(1).decode().replace("CARD-1", "CARD-1*").strip(), media
        elif media == "application/x-www-form-urlencoded":
            fields = filler.value(schema)
            yield "&".join(f"{name}={text}" for name, text in fields.items()), media
        else:
            for kind in schema.get("oneOf", [schema]):
                yield json.dumps(filler.value(kind), ensure_ascii=False), media


class Wanted(BaseModel):
    """What the planted hole reads."""

    name: str


def with_holes(city: City) -> FastAPI:
    """Make an application that trusts what it is told, and tells as little as ours does."""
    app = FastAPI()
    install(app)

    def read(name: str) -> list[Any]:
        query = cast("LiteralString", f"select code from provider where code = '{name}'")
        with psycopg.connect(city.owner_url) as connection:
            return connection.execute(query).fetchall()

    @app.get("/by-query")
    def by_query(name: str) -> list[Any]:
        return read(name)

    @app.post("/by-body")
    def by_body(body: Wanted) -> list[Any]:
        return read(body.name)

    @app.get("/by-path/{name}")
    def by_path(name: str) -> list[Any]:
        return read(name)

    return app


@pytest.mark.parametrize(
    "hole",
    [
        Target("GET", "/by-query?name=metro*", {}),
        Target("POST", "/by-body", {"Content-Type": "application/json"}, '{"name": "metro*"}'),
        Target("GET", "/by-path/metro*", {}),
    ],
    ids=["query", "body", "path"],
)
def test_a_hole_is_found_wherever_it_is(city: City, tmp_path: Path, hole: Target) -> None:
    operator(city.db, "metro")
    with served(with_holes(city)) as host:
        said = scan(host, [hole], tmp_path)
    assert FOUND in said, said


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S)
def test_no_free_text_reaches_a_statement(app: FastAPI, city: City, tmp_path: Path) -> None:
    signer = sender(Town(city.db, city.keys, city.settings), None)  # pyright: ignore[reportArgumentType] -- it only signs
    (citizen,) = citizens(city.db, city.keys, operator(city.db, "rides"), "a")
    long = timedelta(seconds=WITHIN_S)
    tokens: dict[str, str] = {}

    def show(scope: str) -> str:
        if not tokens:
            for role in Role:
                who = citizen.principal if role is Role.CITIZEN else known(city.db, role)
                token = app.state.tokens.issue(who, at=now(), lifetime=long)
                tokens.update({each.value: token for each in SCOPES[role]})
        return tokens[scope]

    dressed = Dressed(app, signer)
    with served(dressed) as host:
        targets = targets_of(app.openapi(), show)
        said = scan(host, targets, tmp_path)
    assert len(targets) > 50
    assert sum(dressed.seen.values()) > 20 * len(targets), dressed.seen
    assert dressed.seen.get(401, 0) < sum(dressed.seen.values()) / 10, dressed.seen
    assert FOUND not in said, said
