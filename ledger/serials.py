"""Serials (序列号): a range of units, written so that people can copy it and slips are found.

    TP1-<method>-<yyyymm>-<batch 5>-<start 10>-<end 10>-<check>

`TP1` is the form's version. The method is two to sixteen letters and digits, so that the separator
occurs in no part; the batch's number alone says which batch it is. Units are of 1 kg and numbered
from 1 within their batch; both ends belong to the range. The check is ISO 7064 MOD 1271-36 over
everything before it but the separators: two characters that find every single slip and every swap
of neighbours. There is this one parser and this one regular expression.
"""

import re
from datetime import date
from string import ascii_uppercase, digits
from typing import Final, NamedTuple

FORM: Final = re.compile(
    r"TP(?P<version>[0-9]{1,3})-(?P<method>[A-Z0-9]{2,16})-(?P<year>[0-9]{4})(?P<month>[0-9]{2})"
    r"-(?P<batch>[0-9]{5})-(?P<start>[0-9]{10})-(?P<end>[0-9]{10})-(?P<check>[0-9A-Z]{2})"
)
VERSION: Final = 1
METHOD_MAX: Final = 16
BATCH_MAX: Final = 99_999
UNIT_MAX: Final = 9_999_999_999
_SEPARATOR: Final = "-"
_LETTERS: Final = digits + ascii_uppercase
_MODULUS: Final = 1271
_RADIX: Final = 36


class SerialMalformed(ValueError):  # noqa: N818 -- names what the text is
    """A text that is no serial; the message says what is wrong with it."""


class Serial(NamedTuple):
    """A range of units of one batch."""

    method: str
    vintage: date
    """The first day of the month of the acts."""
    batch: int
    start: int
    end: int
    """The last unit, which belongs to the range."""

    @property
    def quantity_kg(self) -> int:
        """How many units these are."""
        return self.end - self.start + 1


def method_code(methodology: str) -> str:
    """Write a methodology's code as serials do: its first sixteen letters and digits.

    >>> method_code("SZ-METRO"), method_code("sh-é-Bus 2025")
    ('SZMETRO', 'SHBUS2025')
    """
    return "".join(each for each in methodology.upper() if each in _LETTERS)[:METHOD_MAX]


def write_serial(serial: Serial) -> str:
    """Write a range of units.

    >>> write_serial(Serial("SZMETRO", date(2026, 1, 1), 1, 1, 120))
    'TP1-SZMETRO-202601-00001-0000000001-0000000120-FN'
    """
    month = serial.vintage.year * 100 + serial.vintage.month
    body = (
        f"TP{VERSION}-{serial.method}-{month:06d}-{serial.batch:05d}"
        f"-{serial.start:010d}-{serial.end:010d}"
    )
    text = f"{body}-{check_of(body)}"
    assert parse_serial(text) == serial, serial
    return text


def parse_serial(text: str) -> Serial:
    """Read a range of units.

    Raises:
        SerialMalformed: It is of another form or version, its check is wrong, or it is no range.
    """
    found = FORM.fullmatch(text)
    if found is None:
        raise SerialMalformed("not of the form of a serial")
    if found["version"] != str(VERSION):
        raise SerialMalformed("of another version")
    if check_of(text[: found.start("check") - 1]) != found["check"]:
        raise SerialMalformed("its check characters are wrong")
    year, month, start, end = (int(found[name]) for name in ("year", "month", "start", "end"))
    if not (year and 1 <= month <= 12):  # noqa: PLR2004 -- months
        raise SerialMalformed("its month is none")
    batch = int(found["batch"])
    if not (batch and 1 <= start <= end):
        raise SerialMalformed("its range is none")
    return Serial(found["method"], date(year, month, 1), batch, start, end)


def check_of(text: str) -> str:
    """Give the check characters of a text of letters and digits (ISO 7064 MOD 1271-36).

    >>> check_of("ISO79")
    '3W'
    """
    total = 0
    for each in text.replace(_SEPARATOR, ""):
        total = (total + _LETTERS.index(each)) * _RADIX % _MODULUS
    first, second = divmod((1 - total * _RADIX) % _MODULUS, _RADIX)
    return _LETTERS[first] + _LETTERS[second]
