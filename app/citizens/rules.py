"""Phone numbers as they are counted (手机号): pure, and the same every time."""

import re
import unicodedata
from typing import Final

_SPACING: Final = re.compile(r"\(0\)|[\s().-]")
"""Of ``+44 (0)7911`` the zero is dialled at home alone."""
_CHINA: Final = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_ABROAD: Final = re.compile(r"(?:\+|00)([1-9][0-9]{7,14})")
_CHINA_CODE: Final = "86"


def phone_of(text: str) -> str | None:
    """Write a phone number as E.164 does; a bare number is Chinese. ``None`` if it is none.

    >>> phone_of("138 0000 0000"), phone_of("+86-138-0000-0000"), phone_of("１３８００００００００")
    ('+8613800000000', '+8613800000000', '+8613800000000')
    >>> phone_of("+852 5123 4567"), phone_of("12345"), phone_of("+86 10 1234 5678")
    ('+85251234567', None, None)
    """
    digits = _SPACING.sub("", unicodedata.normalize("NFKC", text))
    if found := _CHINA.fullmatch(digits):
        return f"+{_CHINA_CODE}{found[1]}"
    found = _ABROAD.fullmatch(digits)
    if found is None or found[1].startswith(_CHINA_CODE):
        return None
    return f"+{found[1]}"
