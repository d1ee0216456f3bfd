"""After every fault, the books are audited (每次测试后审计)."""

from collections.abc import Iterator

import pytest

from tests.support.auditing import assert_books_hold


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
