"""sqlmap on every free text (SQL 注入扫描): a process for each request that holds some.

The parts of the document that are strings without end are found, and marked in a request that its
operation takes; each technique finds a hole that was made for it, by the very same command line.
What sqlmap cannot see is asserted beside it: no payload is answered 5xx, and none ran into a limit.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, LiteralString, cast

import httpx2
import psycopg
import pytest
from fastapi import FastAPI, Header
from pydantic import BaseModel

from app.city import City
from app.embedded.postgres import Postgres
from app.embedded.runtime import Addresses
from app.kernel.db import Database
from app.kernel.http import install
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.migrations import migrate
from tests.support.anchoring import ORIGIN
from tests.support.auditing import assert_books_hold
from tests.support.batches import counts
from tests.support.postgres import create, drop
from tests.support.serving import shared_app
from tests.support.wallets import operator
from tests.web.conftest import Servers
from tests.web.free_texts import Draft, Place, drafts
from tests.web.scanned_city import Door, Scanned, scanned, served

ANSWER_S: Final = 30
OPTIONS: Final = (
    "--batch",
    "--flush-session",
    "--level=1",
    "--risk=1",
    "--dbms=postgresql",
    "--technique=BEST",  # boolean, error, stacked, time: a UNION that works is a boolean that works
    "--time-sec=1",
    "--disable-stats",  # a second is no noise here; else thirty requests learn what noise is
    "--skip-waf",
    "--ignore-code=*",
    "--retries=0",
    f"--timeout={ANSWER_S}",
    "--disable-coloring",
)
NO_SPACES: Final = "--tamper=space2comment"
DEEPER: Final = os.environ.get("TANPU_SQLMAP", "").split()
"""Further options, of which the last of a name counts; `make attack` names some."""
WITHIN_S: Final = 3600 if DEEPER else 240
TRIED: Final = re.compile(r"testing for SQL injection on .*parameter '(.+)'")
LOOKS: Final = 3
"""A hole answers every scan. What sqlmap takes for one where a length is refused does not: whether
its numbers of random length fit decides, and it draws others the next time."""
FOUND: Final = "identified the following injection point"
DOOR: Final = (
    "request.",
    "auth.token_",
    "auth.scope_missing",
    "signature.",
    "idempotency.",
    "limits.",
    "server.",
)
"""How the codes begin of what is refused before an operation looks at it."""
DATABASE: Final = "scanned"


def scan(
    host: str, draft: Draft, headers: Mapping[str, str], places: Sequence[Place], folder: Path
) -> str:
    """Let sqlmap try some places of a request; gives what it says."""
    marked = draft.marked(places)
    # With a query, be it none, sqlmap leaves the address alone unless a place in it is marked;
    # in small letters it reads the names of all headers.
    address = marked.address if "?" in marked.address else f"{marked.address}?-"
    lines = [f"{marked.method} {address} HTTP/1.1", f"host: {host}"]
    lines += [f"{name.lower()}: {text}" for name, text in {**headers, **marked.headers}.items()]
    folder.mkdir()
    request = folder / "request.txt"
    request.write_text("\n".join([*lines, "", marked.body]), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("sqlmap")), "-r", str(request), *OPTIONS, *DEEPER]
    if any(" " not in place.signs for place in places):
        command.append(NO_SPACES)
    done = subprocess.run(
        [*command, "--output-dir", str(folder / "out")],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
    )
    said = done.stdout + done.stderr
    tried = TRIED.findall(said)
    assert len(tried) >= len(places), said
    assert {f"{place.header} #1*" for place in places if place.header} <= {*tried}, said
    return said


def groups(draft: Draft) -> list[list[Place]]:
    """Part the free texts into those of the address, where a slash ends a name, and all others."""
    parts = [
        [each for each in draft.free if (each.keys[0] in {"path", "query"}) is in_address]
        for in_address in (True, False)
    ]
    return [each for each in parts if each]


def send(client: httpx2.Client, host: str, draft: Draft, headers: Mapping[str, str]) -> str:
    """Send a request; gives the code of a refusal, or nothing."""
    answer = client.request(
        draft.method, f"http://{host}{draft.address}", content=draft.body, headers=dict(headers)
    )
    return "" if answer.status_code < 400 else answer.json()["code"]


# --- holes made on purpose ---


class Wanted(BaseModel):
    """What a hole reads."""

    name: str


def with_holes(city: City) -> FastAPI:
    """Make an application that trusts what it is told, in each place and for each technique."""
    app = FastAPI()
    install(app)

    def read(name: str, *, one_only: bool = False) -> list[Any]:
        query = cast("LiteralString", f"select code from provider where code = '{name}'")
        with psycopg.connect(city.owner_url) as connection:
            return connection.execute(query, prepare=one_only).fetchall()

    @app.get("/boolean")
    def rows_or_none(name: str) -> list[Any]:
        return read(name)

    @app.post("/error")
    def an_error_in_words(body: Wanted) -> str:
        try:
            return str(len(read(body.name)))
        except psycopg.Error as error:
            return str(error)

    @app.get("/stacked")
    def always_the_same(if_none_match: Annotated[str, Header()]) -> str:
        read(if_none_match)
        return "done"

    @app.get("/time/{name}")
    def always_the_same_of_one_statement(name: str) -> str:
        read(name, one_only=True)
        return "done"

    @app.post("/spaceless")
    def no_space(name: Annotated[str, Header(pattern="^[!-~]+$")]) -> list[Any]:
        return read(name)

    return app


@pytest.mark.parametrize(
    ("label", "technique"),
    [
        ("GET /boolean", "boolean-based blind"),
        ("POST /error", "error-based"),
        ("GET /stacked", "stacked queries"),
        ("GET /time/{name}", "time-based blind"),
        ("POST /spaceless", "stacked queries"),
    ],
)
def test_a_hole_is_found_wherever_it_is(
    city: City, tmp_path: Path, label: str, technique: str
) -> None:
    operator(city.db, "sz-metro")
    app = with_holes(city)
    (draft,) = drafts(app.openapi(), {"name": "sz-metro", "if-none-match": "sz-metro"})[label]
    with served(Door(app)) as host:
        said = scan(host, draft, draft.headers, draft.free, tmp_path / "scan")
    assert FOUND in said, said
    assert f"Type: {technique}" in said, said


# --- the city ---


OPERATIONS: Final = sorted(
    label
    for label, forms in drafts(shared_app().openapi(), {}).items()
    if any(draft.free for draft in forms)
)


@pytest.fixture(scope="module")
def under_scan(
    postgres: Postgres, servers: Servers, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scanned]:
    """One city for every scan of this process; its books are as they were when all are done."""
    url = create(postgres, DATABASE)
    migrate(url)
    city = City(
        settings=Settings(tanpu_home=tmp_path_factory.mktemp("scanned"), origin=ORIGIN),
        addresses=Addresses(url, servers.redis.url, servers.chain.url),
        owner_url=url,
        keys=keys,
        db=Database(url),
        worker_db=Database(url, role="tanpu_worker"),
        audit_db=Database(url, role="tanpu_audit"),
    )
    tables = ("audit_entry", "citizen_answer", "desk_answer", "activity", "limit_use")
    with scanned(city) as made:
        before = counts(url, *tables)
        yield made
    assert counts(url, *tables) == before
    assert_books_hold(url)
    city.redis.close()
    for each in (city.db, city.worker_db, city.audit_db):
        each.dispose()
    drop(postgres, DATABASE)


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_free_text_reaches_a_statement(under_scan: Scanned, tmp_path: Path, label: str) -> None:
    for number, draft in enumerate(under_scan.drafts[label]):
        headers = under_scan.headers(draft)
        with httpx2.Client(timeout=ANSWER_S) as client:
            code = send(client, under_scan.host, draft, headers)
        assert not code.startswith(DOOR), code
        under_scan.door.answers.clear()
        for part, places in enumerate(groups(draft)):
            said = ""
            for look in range(LOOKS):
                folder = tmp_path / f"{number}.{part}.{look}"
                said = scan(under_scan.host, draft, headers, places, folder)
                if FOUND not in said:
                    break
            assert FOUND not in said, said
        bad = [each for each in under_scan.door.answers if each.startswith(("429", "5"))]
        assert not bad, under_scan.door.answers


def test_every_other_string_is_refused_at_the_door(under_scan: Scanned) -> None:
    taken: list[str] = []
    with httpx2.Client(timeout=ANSWER_S) as client:
        for label, forms in under_scan.drafts.items():
            for draft in forms:
                for each in set(draft.places) - set(draft.free):
                    wrong = draft.with_texts({each: draft.text(each)[:-1] + "'"})
                    code = send(client, under_scan.host, wrong, under_scan.headers(wrong))
                    if not code.startswith(("request.", "oauth.")):
                        taken.append(f"{label} {each.keys}: {code}")
    assert not taken
