"""What a cancellation takes (注销取数): pure; the oldest first, or the classes that were named."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

COOL_DOWN: Final = timedelta(minutes=10)
"""Between a request and its posting: until then it may be reverted."""
CLASSES_MAX: Final = 100
"""Of one cancellation, so that its certificate stays a page."""

OPEN_MAX: Final = 20
"""Requests of one owner that wait at a time."""


class HeldClass(NamedTuple):
    """What is held of one class, beside what open cancellations take."""

    asset: int
    key: bytes
    vintage: date
    mg: int


Part = tuple[int, int]
"""(asset, mg)."""


def oldest_first(held: Sequence[HeldClass], mg: int) -> list[Part] | None:
    """Take ``mg`` of the oldest months first; None where less is held.

    >>> one = HeldClass(9, b"b", date(2026, 2, 1), 50)
    >>> other = HeldClass(17, b"a", date(2026, 1, 1), 30)
    >>> oldest_first([one, other], 60), oldest_first([one, other], 81)
    ([(17, 30), (9, 30)], None)
    """
    parts: list[Part] = []
    for each in sorted(held, key=lambda each: (each.vintage, each.asset)):
        taken = min(mg, each.mg)
        if taken > 0:
            parts.append((each.asset, taken))
            mg -= taken
    return None if mg else parts


def named(held: Sequence[HeldClass], wanted: Mapping[bytes, int | None]) -> list[Part] | None:
    """Take so much of each named class, or all of it; None where less is held, or nothing.

    >>> one = HeldClass(9, b"b", date(2026, 2, 1), 50)
    >>> named([one], {b"b": None}), named([one], {b"b": 51}), named([one], {b"c": None})
    ([(9, 50)], None, None)
    """
    known = {each.key: each for each in held}
    parts: list[Part] = []
    for key, mg in wanted.items():
        each = known.get(key)
        if each is None or each.mg < (mg or 1):
            return None
        parts.append((each.asset, each.mg if mg is None else mg))
    return parts
