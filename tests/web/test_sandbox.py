"""A sandbox (沙箱): says what it is, and has a clock that everything in it goes by (R21)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.activities import purge
from app.city import City
from app.kernel.advancing import ahead
from app.kernel.clock import CLOCK, day_of, now, wall
from app.kernel.scopes import Role
from app.kernel.settings import Settings
from app.main import create_app
from app.ticks import keep_partitions
from app.worker import Job, run_slot
from tests.support.acts import one, rows
from tests.support.batches import Town, enrol, ride, sender
from tests.support.desk import Person, clerk

CLOCK_PATH = "/v1/sandbox/clock"
DAY_S = 86_400
ORIGIN = "sandbox.tanpu.localhost/ledger/1"


@pytest.fixture
def sandbox(city: City, tmp_path: Path) -> Iterator[City]:
    """A city that is a sandbox; its process goes by its clock."""
    made = replace(city, settings=Settings(tanpu_home=tmp_path, sandbox=True, origin=ORIGIN))
    with CLOCK.ahead_by(lambda: made.db.read(ahead)):
        yield made


@pytest.fixture
def app(sandbox: City) -> FastAPI:
    return create_app(sandbox.settings, sandbox)


@pytest.fixture
def operator(app: FastAPI, client: TestClient, sandbox: City) -> Person:
    return clerk(app, client, sandbox, Role.OPERATOR, "o1")


def advanced(operator: Person, seconds: int) -> datetime:
    answer = operator.post(CLOCK_PATH, {"advance_s": seconds})
    assert answer.status_code == 201, answer.text
    return datetime.fromisoformat(answer.json()["now"])


def test_it_says_what_it_is(client: TestClient) -> None:
    assert "Sandbox 沙箱" in client.get("/").text
    document = client.get("/openapi.json").json()
    assert document["info"]["title"] == "Tanpu 碳普 Sandbox 沙箱"
    assert CLOCK_PATH in document["paths"]


def test_the_clock_is_advanced_and_never_goes_back(
    sandbox: City, client: TestClient, operator: Person
) -> None:
    before = wall()
    reached = advanced(operator, 60)
    assert timedelta(seconds=60) <= reached - before < timedelta(seconds=90)
    assert client.get(CLOCK_PATH).json()["ahead_s"] == 60
    assert advanced(operator, 30) > reached
    for wrong in (0, -1, 10**9):
        answer = operator.post(CLOCK_PATH, {"advance_s": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")
    far = operator.post(CLOCK_PATH, {"advance_s": 730 * DAY_S})
    assert (far.status_code, far.json()["code"]) == (409, "sandbox.too_far")
    assert client.get(CLOCK_PATH).json()["ahead_s"] == 90
    assert one(sandbox.db, "select count(*) from audit_entry where act = 'sandbox.advance'") == (2,)


def test_one_key_advances_once(client: TestClient, operator: Person) -> None:
    first = operator.post(CLOCK_PATH, {"advance_s": 60}, key="k")
    again = operator.post(CLOCK_PATH, {"advance_s": 60}, key="k")
    assert again.content == first.content
    assert client.get(CLOCK_PATH).json()["ahead_s"] == 60


def test_only_the_operator_advances_it(app: FastAPI, client: TestClient, sandbox: City) -> None:
    assert client.post(CLOCK_PATH, json={"advance_s": 60}).status_code == 401
    regulator = clerk(app, client, sandbox, Role.REGULATOR, "r1")
    assert regulator.post(CLOCK_PATH, {"advance_s": 60}).status_code == 403


def test_tokens_end_by_it(operator: Person) -> None:
    advanced(operator, 700)
    assert operator.post(CLOCK_PATH, {"advance_s": 1}).json()["code"] == "auth.token_invalid"


def test_signatures_uploads_and_jobs_go_by_it(
    sandbox: City, client: TestClient, operator: Person
) -> None:
    """Goal: a year passes in seconds: partitions are there, whereabouts are forgotten."""
    town = Town(sandbox.db, sandbox.keys, sandbox.settings)
    metro = sender(town, client)
    enrol(town, metro.provider, ["CARD-1"])
    assert metro.send(ride(1)).status_code == 201
    advanced(operator, 300 * DAY_S)
    stale = metro.send(ride(2), key="k-2", at=wall())
    assert stale.json()["code"] == "signature.stale"
    answer = metro.send(ride(2, at=now() - timedelta(hours=1)), key="k-3")
    assert answer.json()["counts"]["accepted"] == 1, answer.text
    days = [day for (day,) in rows(sandbox.db, "select recorded_on from activity order by 1")]
    assert days == [day_of(wall()), day_of(wall() + timedelta(days=300))]
    seen: list[datetime] = []
    job = Job("test", timedelta(days=1), lambda _, at: seen.append(at))
    assert run_slot(sandbox, job)
    assert seen[0] - wall() > timedelta(days=299)
    assert purge(sandbox.worker_db, sandbox.settings, at=now())["act_window"] == 1
    keep_partitions(sandbox, now())


def test_a_city_has_no_such_clock_and_production_no_sandbox(
    city: City,
) -> None:
    with TestClient(create_app(city.settings, city)) as plain:
        assert plain.get(CLOCK_PATH).status_code == 404
        assert plain.post(CLOCK_PATH, json={"advance_s": 60}).status_code == 404
        assert plain.get("/openapi.json").json()["info"]["title"] == "Tanpu 碳普"
    with pytest.raises(ValidationError, match="ENV=production refuses SANDBOX"):
        Settings(env="production", sandbox=True, origin=ORIGIN)
    with pytest.raises(ValidationError, match="ORIGIN begins with"):
        Settings(sandbox=True)
    with pytest.raises(ValidationError, match="ORIGIN begins with"):
        Settings(origin=ORIGIN)
