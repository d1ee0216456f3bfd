"""After every test with a database, the books are audited (每次测试后审计)."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.auditing import assert_books_hold

BROKEN_ON_PURPOSE: Final = frozenset(
    {"test_it_refuses_to_close_over_a_transfer_that_is_gone"}  # it deletes one as superuser
)


@pytest.fixture(autouse=True)
def books_hold_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold laws, chart and replay, unless the test asks for ``books_left_broken``."""
    names = set(request.fixturenames)
    broken = "books_left_broken" in names or request.node.name in BROKEN_ON_PURPOSE
    if "db" not in names or broken:
        yield
        return
    url: str = request.getfixturevalue("database_url")
    yield
    assert_books_hold(url)


@pytest.fixture
def books_left_broken() -> None:
    """Say that this test breaks the books on purpose and leaves them so."""
