"""What the citizen's API costs: process CPU a request, beside `GET /health`, same run.

The application is asked in process, over ASGI, so that no client and no socket is measured; the
database runs beside it and its CPU is not counted here. The citizen has a year of metro rides,
and others have theirs. Rounds are interleaved and the median counts. Run
``python -m benchmarks.api [--json] [--rounds N]``.
"""

import asyncio
import gc
import json
import statistics
import sys
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Generator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from time import process_time
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from fastapi import FastAPI
from sqlmodel import Session

from app.activities import Item, catalogued, ingest
from app.city import City
from app.embedded.runtime import Addresses
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.kernel.tokens import Principal
from app.main import create_app
from app.points import NewProgramme, fund, open_programme
from app.points.programmes import MG_PER_POINT
from benchmarks.cluster import Ground, enrol, ground

PEOPLE: Final = 500
ACTS_A_PERSON: Final = 300
REQUESTS: Final = 200
WARM_UP: Final = 50
WALLET_BUDGET_US: Final = 1200.0
"""The home screen's (research C.3); the floor of the request itself is in it."""
NOWHERE: Final = "redis://127.0.0.1:1/0"
METRO: Final = "SZ-METRO"
Message = MutableMapping[str, Any]


class Call(NamedTuple):
    """One request, made again and again."""

    path: str
    budget_us: float | None = None
    bodies: Sequence[bytes] = ()
    """A POST, with one body after the other; a GET without any."""


Ask = Callable[[Call, int], Awaitable[int]]
"""Asks a call for the n-th time."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one endpoint costs."""

    what: str
    cpu_us: float
    """Process CPU a request, the floor included [µs]."""
    floor_us: float
    """Of `GET /health`, which asks no database and reads no token [µs]."""
    budget_us: float | None

    @property
    def is_kept(self) -> bool:
        """Whether the budget is kept, where there is one."""
        return self.budget_us is None or self.cpu_us <= self.budget_us


def told(city: Ground, app_city: City) -> None:
    """Give everybody a year of rides, three hundred each."""
    cards = [f"card-{number}" for number in range(PEOPLE)]
    enrol(city, "metro", cards, "sz-metro", since_days=390)
    at = now()
    rides = [
        Item(
            line=number,
            external_id=f"ride-{number}",
            subject=cards[number % PEOPLE],
            occurred_at=at - timedelta(days=1 + number // PEOPLE),
            inputs={"distance": Decimal(3 + number % 17)},
        )
        for number in range(PEOPLE * ACTS_A_PERSON)
    ]
    settings = app_city.settings
    ingest(app_city.db, app_city.keys, settings, "metro", catalogued(METRO), rides, at=at)


@contextmanager
def city_of(ground_: Ground) -> Generator[City]:
    """Open the throw-away cluster as a city without Redis and chain."""
    made = City(
        settings=Settings(tanpu_home=ground_.home),
        addresses=Addresses(ground_.url, NOWHERE, "http://127.0.0.1:1"),
        owner_url=ground_.url,
        keys=ground_.keys(),
        db=Database(ground_.url),
        worker_db=Database(ground_.url, role="tanpu_worker", pool_size=1),
        audit_db=Database(ground_.url, role="tanpu_audit", pool_size=1),
    )
    yield made
    for database in (made.db, made.worker_db, made.audit_db):
        database.dispose()


def somebody(db: Database) -> tuple[Principal, str]:
    """Give a citizen and one of their acts."""
    query = """
    select s.account, s.public_id, (select a.id from activity a where a.bucket = s.bucket
            and a.account = s.account order by a.id limit 1)
      from subject s order by s.account limit 1"""
    row = db.read(lambda session: driver(session).execute(query).fetchone())
    assert row is not None
    owner, person, act = row
    return Principal("citizen", UUID(str(person)), SCOPES[Role.CITIZEN], owner), public_id(
        "act", act
    )


def asker(app: FastAPI, token: str) -> Ask:
    """Ask the application as a server does, without one."""

    async def ask(call: Call, number: int) -> int:
        target, _, query = call.path.partition("?")
        body = call.bodies[number % len(call.bodies)] if call.bodies else b""
        key = (b"idempotency-key", f"bench-{number}".encode())
        kind = (b"content-type", b"application/json")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST" if call.bodies else "GET",
            "scheme": "http",
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"bench"),
                (b"authorization", f"Bearer {token}".encode()),
                *((key, kind) if call.bodies else ()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("bench", 80),
            "state": {},
        }
        status = 0

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        await app(scope, receive, send)
        return status

    return ask


async def cpu_us(ask: Ask, call: Call, first: int, requests: int) -> float:
    """Give the process CPU of one request [µs]."""
    gc.collect()
    start = process_time()
    for number in range(first, first + requests):
        status = await ask(call, number)
        assert status == (201 if call.bodies else 200), (call.path, status)
    return (process_time() - start) / requests * 1e6


def one_point_each(db: Database, owner: int) -> list[bytes]:
    """Exchange one point's worth of one class after the other."""
    query = """
    select encode(x.key, 'hex') from balance b join asset x on x.id = b.asset
     where b.account = %s and x.id & 7 in (1, 2) and b.credits - b.debits > 1000000"""
    found = db.read(lambda session: driver(session).execute(query, (owner,)).fetchall())
    assert found
    wanted = [{"classes": [{"class_id": key, "co2e_mg": MG_PER_POINT}]} for (key,) in found]
    return [json.dumps(body).encode() for body in wanted]


def sponsor(session: Session, keys: Keys) -> None:
    """Open a programme that can pay for every point of the benchmark."""
    open_programme(session, keys, NewProgramme("bench", "基准", "Benchmark"), at=now())
    fund(session, "bench", 10**9, cause=new_id(), at=now())


async def measured(app: FastAPI, rounds: int) -> list[Cost]:
    """Measure every endpoint, in interleaved rounds."""
    async with app.router.lifespan_context(app):
        db: Database = app.state.city.db
        who, act = somebody(db)
        ask = asker(app, app.state.tokens.issue(who, at=now(), lifetime=timedelta(hours=1)))
        calls = {
            "health": Call("/health"),
            "wallet": Call("/v1/me/wallet", WALLET_BUDGET_US),
            "activities, a page of 50": Call("/v1/me/activities"),
            "activity, its full working": Call(f"/v1/me/activities/{act}"),
            "calendar of a month": Call("/v1/me/calendar"),
            "trends of twelve months": Call("/v1/me/trends"),
            "exchange of one class": Call("/v1/me/exchanges", bodies=one_point_each(db, who.owner)),
        }
        for call in calls.values():
            await cpu_us(ask, call, 0, WARM_UP)
        found: dict[str, list[float]] = {what: [] for what in calls}
        for round_ in range(rounds):
            for what, call in calls.items():
                first = WARM_UP + round_ * REQUESTS
                found[what].append(await cpu_us(ask, call, first, REQUESTS))
    floor_us = statistics.median(found["health"])
    return [
        Cost(what, statistics.median(found[what]), floor_us, call.budget_us)
        for what, call in calls.items()
    ]


def run(rounds: int) -> list[Cost]:
    """Make the city and measure."""
    with ground() as made, city_of(made) as city:
        told(made, city)
        city.db.transact(sponsor, city.keys)
        with psycopg.connect(made.url, autocommit=True) as connection:
            connection.execute("vacuum analyze")
        return asyncio.run(measured(create_app(city.settings, city), rounds))


def main(arguments: list[str]) -> int:
    """Print the table, or JSON; 1 if a budget is missed."""
    parser = ArgumentParser("benchmarks.api")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    costs = run(given.rounds)
    if given.json:
        print(json.dumps([asdict(cost) | {"is_kept": cost.is_kept} for cost in costs], indent=1))
    else:
        print(f"{'CPU µs a request':28} {'cost':>8} {'× health':>9} {'budget':>8}")
        for cost in costs:
            budget = "" if cost.budget_us is None else f"{cost.budget_us:8.0f}"
            ratio = cost.cpu_us / cost.floor_us
            mark = "" if cost.is_kept else "  MISSED"
            print(f"{cost.what:28} {cost.cpu_us:8.0f} {ratio:9.1f} {budget}{mark}")
    return 0 if all(cost.is_kept for cost in costs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
