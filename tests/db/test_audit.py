"""The audit of a city that nobody touched, while it works, and what it says beside findings."""

from collections.abc import Iterator

import pytest

from app.embedded.postgres import Postgres
from app.kernel.secrets import Keys
from app.migrations import migrate
from tests.support.anchoring import ORIGIN
from tests.support.audited_city import AuditedCity, audited_city
from tests.support.auditing import assert_clean
from tests.support.postgres import create, drop

NAME = "audited_city"


@pytest.fixture(scope="module")
def city(
    postgres: Postgres, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AuditedCity]:
    """One city for this module."""
    url = create(postgres, NAME)
    migrate(url)
    with audited_city(url, keys, tmp_path_factory.mktemp("city")) as made:
        yield made
    drop(postgres, NAME)


def test_it_finds_nothing_in_a_city_that_nobody_touched(city: AuditedCity) -> None:
    report = assert_clean(city.url, city.keys, ORIGIN, city.chain)
    assert report.checked["entries"] > 1000
