"""The whole application over the test database, a Redis and a chain of its own (网页测试)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.anchoring import Notary
from app.city import City
from app.embedded.chain import Chain
from app.embedded.redis import Redis
from app.embedded.runtime import Addresses
from app.kernel.db import Database
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from tests.support.anchoring import ORIGIN, accruals, at, notary_over
from tests.support.chain import MemoryChain, anvil
from tests.support.desk import Desk, clerk, staffed
from tests.support.desk import Person as Clerk
from tests.support.offers import Market
from tests.support.organisations import organisation
from tests.support.serving import serving
from tests.web.entering import Person, Phones
from tests.web.project_office import Office
from tests.web.shops import Shop, opened

EPOCHS = 5
FINAL = 3


@dataclass(frozen=True)
class Servers:
    """What a city needs beside its database."""

    redis: Redis
    chain: Chain


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    redis = Redis(tmp_path_factory.mktemp("redis")).start()
    try:
        with anvil(tmp_path_factory.mktemp("chain")) as chain:
            yield Servers(redis, chain)
    finally:
        redis.stop()


@pytest.fixture
def city(
    servers: Servers, db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> Iterator[City]:
    audit_db = Database(db.url, role="tanpu_audit")
    made = City(
        settings=Settings(tanpu_home=tmp_path, origin=ORIGIN),
        addresses=Addresses(db.url, servers.redis.url, servers.chain.url),
        owner_url=db.url,
        keys=keys,
        db=db,
        worker_db=worker_db,
        audit_db=audit_db,
    )
    made.redis.ask(lambda client: client.flushall())
    yield made
    made.redis.close()
    audit_db.dispose()


@pytest.fixture
def app(city: City) -> FastAPI:
    return serving(city)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def notary(city: City, tmp_path: Path) -> Notary:
    """Five epochs closed and published; the chain knows three."""
    made, chain = notary_over(city.worker_db, city.keys, tmp_path), MemoryChain()
    for number in range(1, EPOCHS + 1):
        accruals(city.db, city.keys, 2)
        assert made.close(at=at(number)) is not None
        made.publish()
        if number <= FINAL:
            made.submit(chain, at=at(number))
    made.publish()
    return made


@pytest.fixture
def elsewhere(city: City) -> Iterator[City]:
    """The same city with addresses at which nobody answers."""
    away = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    nowhere = Addresses(away.url, "redis://127.0.0.1:1/0", "http://127.0.0.1:1")
    yield replace(city, db=away, addresses=nowhere)
    away.dispose()


@pytest.fixture
def desk(app: FastAPI, client: TestClient, city: City) -> Desk:
    """Everybody whom the life of a methodology takes."""
    return staffed(app, client, city)


@pytest.fixture
def phones(app: FastAPI, client: TestClient) -> Phones:
    """Every phone of the city, in place of a gateway for messages."""
    del client  # the application takes its settings' provider as it starts
    made = Phones()
    app.state.sms = made.sms
    return made


@pytest.fixture
def alice(client: TestClient, phones: Phones) -> Person:
    return Person(client, phones)


@pytest.fixture
def bob(client: TestClient, phones: Phones) -> Person:
    return Person(client, phones, "+8613900000009", "device-of-bobby-0002")


@pytest.fixture
def operators(app: FastAPI, client: TestClient, city: City) -> tuple[Clerk, Clerk]:
    """Two clerks of the operator."""
    return (
        clerk(app, client, city, Role.OPERATOR, "o1"),
        clerk(app, client, city, Role.OPERATOR, "o2"),
    )


@pytest.fixture
def shop(client: TestClient, operators: tuple[Clerk, Clerk]) -> Shop:
    """A merchant that applied and was approved; its owner is logged in."""
    return opened(client, operators, 1)


@pytest.fixture
def market(app: FastAPI, client: TestClient, city: City) -> Market:
    """A desk that publishes offers, and merchants at will."""
    return Market(app, client, city)


@pytest.fixture
def office(app: FastAPI, client: TestClient, city: City, desk: Desk) -> Office:
    """The desk as projects need it."""
    return Office(app, client, city, desk, clerk(app, client, city, Role.OPERATOR, "o2"))


@pytest.fixture
def organiser(app: FastAPI, client: TestClient, city: City) -> Clerk:
    """Somebody of an organisation, who may open gatherings."""
    return organisation(city.db, city.keys, 1).person(app, client)


@pytest.fixture
def rival(app: FastAPI, client: TestClient, city: City) -> Clerk:
    """Somebody of another organisation."""
    return organisation(city.db, city.keys, 2).person(app, client)
