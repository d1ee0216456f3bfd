"""A Redis for whoever counts in it, emptied before each test, and one that is nowhere."""

from collections.abc import Iterator

import pytest

from app.embedded.redis import Redis as Server
from app.kernel.db import Database
from app.kernel.redis import Redis
from app.kernel.secrets import Keys
from tests.support.receivers import Receiver, receiver
from tests.support.webhooks import Post


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("redis")).start()
    yield made
    made.stop()


@pytest.fixture
def redis(server: Server) -> Iterator[Redis]:
    made = Redis(server.url)
    made.ask(lambda client: client.flushall())
    yield made
    made.close()


@pytest.fixture
def nowhere() -> Redis:
    return Redis("redis://127.0.0.1:1/0")


@pytest.fixture
def post(db: Database, worker_db: Database, keys: Keys) -> Post:
    return Post(db, worker_db, keys)


@pytest.fixture
def shop() -> Iterator[Receiver]:
    """A server that webhooks are sent to."""
    with receiver() as made:
        yield made
