"""A city of three anchored epochs for a module, which each test leaves as the audit wants it."""

from collections.abc import Iterator

import pytest

from app.embedded.postgres import Postgres
from app.kernel.secrets import Keys
from app.migrations import migrate
from tests.support.anchoring import ORIGIN
from tests.support.audited_city import AuditedCity, audited_city
from tests.support.auditing import assert_clean
from tests.support.postgres import create, drop

NAME = "tampered_city"


@pytest.fixture(scope="module")
def made(
    postgres: Postgres, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuditedCity]:
    """One city for a module."""
    url = create(postgres, NAME)
    migrate(url)
    with audited_city(url, keys, tmp_path_factory.mktemp("city")) as city:
        yield city
    drop(postgres, NAME)


@pytest.fixture
def city(made: AuditedCity) -> Iterator[AuditedCity]:
    """The city, in which each test's tampering is undone: the audit is clean afterwards."""
    yield made
    assert_clean(made.url, made.keys, ORIGIN, made.chain)
