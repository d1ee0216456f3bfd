"""Replay (重放): real readings of other years and places, told as if today (R18).

Real readings are older than the methodologies, so a demonstration moves a whole file by one
declared number of days. What is kept is the clock on the wall: a reading of 07:30 in Golden,
Colorado becomes 07:30 in Shanghai, so that its day stays one programme day. When and where it
was really taken goes with every act and is shown on it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kernel.clock import SHANGHAI


@dataclass(frozen=True, slots=True)
class Replay:
    """The one shift of a whole file; 0 days moves nothing."""

    days: int = 0

    @property
    def is_replay(self) -> bool:
        """Whether instants are other than those of the readings."""
        return self.days != 0

    def told(self, source: datetime) -> datetime:
        """Give the instant at which the act counts as done.

        >>> from zoneinfo import ZoneInfo
        >>> at = datetime(2010, 7, 1, 7, 30, tzinfo=ZoneInfo("Europe/Paris"))
        >>> Replay(5824).told(at).isoformat(), Replay(0).told(at).isoformat()
        ('2026-06-11T07:30:00+08:00', '2010-07-01T13:30:00+08:00')
        """
        if not self.is_replay:
            return source.astimezone(SHANGHAI)
        return source.replace(tzinfo=SHANGHAI) + timedelta(days=self.days)
