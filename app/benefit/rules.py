"""What may be told of gifts (公益口径): pure; when a figure is told, and what is left of it."""

from datetime import time
from typing import Final, NamedTuple

EVENING: Final = time(20)
"""Of a last day, Asia/Shanghai: until then its points are their owner's to spend."""


class Tally(NamedTuple):
    """What was given to a cause in one grade, now or as it was last told."""

    persons: int
    mg: int


def is_told(told: Tally | None, found: Tally, joined: int, crowd_min: int) -> bool:
    """Say whether a new figure replaces the one that is told.

    When a crowd has joined since, so that the difference says nothing of anybody (R19); and at
    once when there is less than is told, for a cause is never credited with what it has not (R6).

    >>> is_told(None, Tally(999, 5), 999, 1000), is_told(None, Tally(1000, 5), 1000, 1000)
    (False, True)
    >>> is_told(Tally(1000, 5), Tally(1000, 4), 0, 1000)
    True
    """
    return joined >= crowd_min or (told is not None and found.mg < told.mg)
