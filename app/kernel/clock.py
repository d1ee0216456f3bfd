"""Time as the programme sees it (时钟): aware instants, and days of Asia/Shanghai.

Commands take the instant as an argument; only entry points call :func:`now`.
"""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

SHANGHAI: tzinfo = ZoneInfo("Asia/Shanghai")
"""The programme's calendar: days, months and vintages are of this zone."""


def now() -> datetime:
    """Read the wall clock, in UTC."""
    return datetime.now(UTC)


def day_of(instant: datetime) -> date:
    """Give the programme day of an aware instant.

    >>> day_of(datetime(2026, 1, 31, 16, 30, tzinfo=UTC))
    datetime.date(2026, 2, 1)
    """
    assert instant.tzinfo is not None, instant
    return instant.astimezone(SHANGHAI).date()
