"""Fixtures that every test may name (夹具): a database emptied before each test, roles, keys.

After every test with a database the books are audited (每次测试后审计).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis
from starlette.testclient import TestClient

from app.embedded.postgres import Postgres
from app.kernel import telemetry
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from tests.support.auditing import assert_books_hold
from tests.support.batches import Sender, Town, client_of, enrol, sender
from tests.support.postgres import MIGRATED, cluster, empty

# A busy machine is no fault of the code: what has to be fast is measured, not timed by example.
hypothesis.register_profile("unhurried", deadline=None)
hypothesis.load_profile("unhurried")

# As the product writes them: structlog's own way tells each stack with its locals, 8 s a defect.
telemetry.configure("INFO", pretty=False)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One migrated cluster for this test process."""
    with cluster(tmp_path_factory.mktemp("cluster")) as server:
        yield server


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    """Address of the emptied database for the owner of its schema, who is superuser."""
    url = postgres.url_of(MIGRATED)
    empty(url)
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The database as the application sees it."""
    made = Database(database_url)
    yield made
    made.dispose()


@pytest.fixture
def worker_db(database_url: str) -> Iterator[Database]:
    """The database as the worker sees it."""
    made = Database(database_url, role="tanpu_worker")
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Throw-away key files."""
    return Keys(tmp_path_factory.mktemp("keys"), make_missing=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A development configuration in a folder of its own."""
    return Settings(tanpu_home=tmp_path)


@pytest.fixture
def town(db: Database, keys: Keys, settings: Settings) -> Town:
    """What the application that providers send to stands on."""
    return Town(db, keys, settings)


@pytest.fixture
def client(town: Town) -> Iterator[TestClient]:
    """That application, served."""
    with client_of(town) as made:
        yield made


@pytest.fixture
def metro(town: Town, client: TestClient) -> Sender:
    """A provider with one key, and one citizen's card."""
    made = sender(town, client)
    enrol(town, made.provider, ["CARD-1"])
    return made


@pytest.fixture(autouse=True)
def books_hold_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold laws, chart and replay, unless the test asks for ``books_left_broken``."""
    names = set(request.fixturenames)
    if "db" not in names or "books_left_broken" in names:
        yield
        return
    url: str = request.getfixturevalue("database_url")
    yield
    assert_books_hold(url)


@pytest.fixture
def books_left_broken() -> None:
    """Say that this test breaks the books on purpose and leaves them so."""
