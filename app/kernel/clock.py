"""Time as the programme sees it (时钟): aware instants, and days of Asia/Shanghai.

Commands take the instant as an argument; only entry points call :func:`now`. It reads the one
clock of the deployment that this process serves: the wall's, or in a sandbox one ahead of it.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

SHANGHAI: tzinfo = ZoneInfo("Asia/Shanghai")
"""The programme's calendar: days, months and vintages are of this zone."""


class Clock:
    """The clock of a deployment (部署时钟): never behind the wall's."""

    def __init__(self) -> None:
        """Go by the wall."""
        self._ahead: Callable[[], timedelta] = timedelta

    def now(self) -> datetime:
        """Read it, in UTC."""
        return wall() + self._ahead()

    @contextmanager
    def ahead_by(self, ahead: Callable[[], timedelta]) -> Generator[None]:
        """Run ahead of the wall while the ``with`` block lasts; ``ahead`` is asked each time."""
        self._ahead = ahead
        try:
            yield
        finally:
            self._ahead = timedelta


CLOCK: Final = Clock()
"""A process serves one deployment, so it has one clock."""


def now() -> datetime:
    """Read the deployment's clock, in UTC."""
    return CLOCK.now()


def wall() -> datetime:
    """Read the wall clock, in UTC: for what waits in real time."""
    return datetime.now(UTC)


def day_of(instant: datetime) -> date:
    """Give the programme day of an aware instant.

    >>> day_of(datetime(2026, 1, 31, 16, 30, tzinfo=UTC))
    datetime.date(2026, 2, 1)
    """
    assert instant.tzinfo is not None, instant
    return instant.astimezone(SHANGHAI).date()
