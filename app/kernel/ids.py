"""Identifiers (编号): UUIDv7 inside, ``prefix_base32`` on the wire, both in order of time."""

import re
from typing import Final
from uuid import UUID

import uuid_utils.compat

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no i, l, o or u to misread."""
DIGITS: Final = 26
"""Base-32 digits that hold 128 bits."""
_PAIRS: Final = tuple(first + second for first in ALPHABET for second in ALPHABET)
"""Of ten bits each: every request writes several ids."""
_WRITTEN: Final = re.compile(f"[{ALPHABET}]{{{DIGITS}}}")
_TO_PYTHON: Final = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")
"""Into the digits that ``int`` reads in base 32."""


def new_id() -> UUID:
    """Make a time-ordered id: index locality, and an order that people can follow."""
    return uuid_utils.compat.uuid7()


def public_id(prefix: str, value: UUID) -> str:
    """Write an id as it appears outside.

    >>> public_id("act", UUID(int=33))
    'act_00000000000000000000000011'
    """
    number = value.int
    pairs = [_PAIRS[number >> place & 1023] for place in range(5 * DIGITS - 10, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def parse_public_id(prefix: str, text: str) -> UUID | None:
    """Read a public id back; ``None`` if it is not one of this prefix.

    >>> parse_public_id("act", "act_00000000000000000000000011")
    UUID('00000000-0000-0000-0000-000000000021')
    >>> parse_public_id("act", "bat_00000000000000000000000011") is None
    True
    """
    head, _, digits = text.partition("_")
    if head != prefix or _WRITTEN.fullmatch(digits) is None:
        return None
    number = int(digits.translate(_TO_PYTHON), 32)
    return UUID(int=number) if number < 1 << 128 else None
