"""Live changes as server-sent events (实时更新): what is told, to whom, and how it ends."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.city import City
from app.cli.serve import Server
from app.kernel.clock import now
from app.wallet import LiveStreams
from app.wallet.errors import TooManyStreams
from app.wallet.live import Pulse
from tests.support.anchoring import at, notary_over
from tests.support.chain import MemoryChain
from tests.support.wallets import TEN_KM_MG, Somebody, citizens, operator, ride, tell

SHORT = timedelta(seconds=2)
GRACE_S = 10


class Told(NamedTuple):
    """One event of a stream."""

    kind: str
    data: dict[str, object]
    id: str


def events(text: str) -> list[Told]:
    """Read a stream as a browser does."""
    found: list[Told] = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "event" in fields:
            found.append(Told(fields["event"], json.loads(fields["data"]), fields.get("id", "")))
    return found


@pytest.fixture
def an(city: City, app: FastAPI) -> Somebody:
    app.state.live = LiveStreams(look_every_s=0.05)
    sender = operator(city.db)
    an, _ = citizens(city.db, city.keys, sender, "an", "bo")
    tell(city.db, city.keys, sender, [ride(1, "an")])
    return an


def read(client: TestClient, app: FastAPI, who: Somebody, **headers: str) -> list[Told]:
    """Read a stream to its end, which is that of a token of two seconds."""
    asked = {**who.headers(app, lifetime=SHORT), **headers}
    answer = client.get("/v1/me/live", headers=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in answer.headers["cache-control"]
    return events(answer.text)


def test_a_stream_says_what_is_and_ends_with_its_token(
    client: TestClient, app: FastAPI, an: Somebody
) -> None:
    began = time.monotonic()
    balance, anchoring, end = read(client, app, an)
    assert time.monotonic() - began < SHORT.total_seconds() + 2
    assert balance.kind == "balance"
    assert balance.data == {
        "reduction": {"co2e_mg": TEN_KM_MG, "co2e": "0.468000 kg"},
        "points": 0,
    }
    assert anchoring.data == {"epoch": 0, "entries": 0, "state": "none"}
    assert (end.kind, end.data) == ("end", {"reason": "expired"})


def test_only_the_one_whose_balance_changes_is_told(
    client: TestClient, app: FastAPI, city: City, an: Somebody
) -> None:
    later = threading.Timer(0.5, tell, (city.db, city.keys, "metro", [ride(2, "bo")]))
    later.start()
    assert [each.kind for each in read(client, app, an)] == ["balance", "anchoring", "end"]
    later.join()
    later = threading.Timer(0.5, tell, (city.db, city.keys, "metro", [ride(3, "an")]))
    later.start()
    told = read(client, app, an)
    later.join()
    assert [each.kind for each in told] == ["balance", "anchoring", "balance", "end"]
    assert told[2].data["reduction"] == {"co2e_mg": 2 * TEN_KM_MG, "co2e": "0.936000 kg"}


def test_who_comes_back_is_told_what_differs_and_nothing_else(
    client: TestClient, app: FastAPI, city: City, an: Somebody
) -> None:
    last = read(client, app, an)[-2].id
    assert [each.kind for each in read(client, app, an, **{"last-event-id": last})] == ["end"]

    notary, chain = notary_over(city.worker_db, city.keys, city.settings.tanpu_home), MemoryChain()
    notary.close(at=at(0))
    notary.publish()
    notary.submit(chain, at=at(0))
    anchoring, _ = read(client, app, an, **{"last-event-id": last})
    assert anchoring.kind == "anchoring"
    assert anchoring.data == {"epoch": 1, "entries": 1, "state": "final"}
    garbage = read(client, app, an, **{"last-event-id": "no such/place"})
    assert [each.kind for each in garbage] == ["balance", "anchoring", "end"]


def test_streams_are_counted_by_person_and_in_all() -> None:
    streams, an, bo = LiveStreams(per_person=2, in_all=3), uuid4(), uuid4()
    streams.enter(an)
    streams.enter(an)
    with pytest.raises(TooManyStreams):
        streams.enter(an)
    streams.enter(bo)
    with pytest.raises(TooManyStreams):
        streams.enter(bo)
    streams.leave(an)
    streams.enter(bo)


def test_a_stream_that_ended_is_counted_out(client: TestClient, app: FastAPI, an: Somebody) -> None:
    app.state.live = LiveStreams(per_person=1, look_every_s=0.05)
    for _ in range(2):
        assert read(client, app, an)[-1].kind == "end"
    app.state.live.enter(an.id)
    refused = client.get("/v1/me/live", headers=an.headers(app))
    assert (refused.status_code, refused.json()["code"]) == (429, "live.too_many")
    assert int(refused.headers["retry-after"]) > 0


def test_a_database_that_is_away_ends_the_stream() -> None:
    def away() -> Pulse:
        raise OperationalError("select 1", {}, Exception("away"))

    assert kinds(LiveStreams(), away) == [("end", "unavailable")]


def test_nothing_is_held_between_two_looks() -> None:
    """A look is over before the stream waits: it was called, returned, and is called anew."""
    looks = iter(range(100))
    still = Pulse("1.0", 5, 0, "0.none", 0, 0, "none")

    def look() -> Pulse:
        next(looks)
        return still

    until = now() + timedelta(seconds=0.5)
    assert [kind for kind, _ in kinds(LiveStreams(look_every_s=0.1), look, until - now())] == [
        "balance",
        "anchoring",
        "end",
    ]
    assert 3 <= next(looks) <= 8


def kinds(
    streams: LiveStreams, look: Callable[[], Pulse], lasting: timedelta = SHORT
) -> list[tuple[str, object]]:
    """Follow to the end: the kinds of events, with the reason of the last."""

    async def followed() -> list[tuple[str, object]]:
        events = streams.follow(look, known=None, until=now() + lasting)
        return [
            (each.event, getattr(each.data, "reason", None)) async for each in events if each.event
        ]

    return asyncio.run(followed())


@contextmanager
def served(app: FastAPI) -> Generator[tuple[str, Server, threading.Thread]]:
    """Serve an application as ``tanpu api`` does, on a free port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_S
        )
        server = Server(config, app.state.live)
        running = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        running.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", server, running
        finally:
            server.should_exit = True
            running.join(2 * GRACE_S)


def test_a_graceful_stop_does_not_wait_for_open_streams(app: FastAPI, an: Somebody) -> None:
    """Goal: a stop with a stream open takes a moment, not the stream's ten minutes nor the grace.
    Method: a real server, a stream that has said its first word, and then the stop."""
    with served(app) as (url, server, running):
        deadline = time.monotonic() + GRACE_S
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        with (
            httpx2.Client(timeout=GRACE_S) as client,
            client.stream("GET", f"{url}/v1/me/live", headers=an.headers(app)) as answer,
        ):
            lines = answer.iter_lines()
            assert any(line.startswith("event: balance") for line in lines)
            began = time.monotonic()
            server.should_exit = True
            rest = list(lines)
        running.join(GRACE_S)
        assert not running.is_alive()
        assert time.monotonic() - began < GRACE_S / 2
    assert 'data: {"reason":"stopping"}' in rest
