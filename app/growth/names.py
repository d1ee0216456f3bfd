"""Names that others see (公开名号): of a person on a board, of a team."""

import re
import unicodedata
from typing import Final

PSEUDONYM_MIN, PSEUDONYM_MAX = 2, 20
TEAM_MAX: Final = 40
_PHONE: Final = re.compile(r"\d{7}")


def plain_name(text: str, longest: int) -> str | None:
    """Give a name as it is shown, or ``None`` where nobody should be shown it.

    Width and spacing are folded; what does not print is refused, and so is anything that carries
    seven digits in a row, which would be somebody's phone.

    >>> plain_name("  Ｇｒｅｅｎ   小绿 ", 20), plain_name("138 0013 8000", 20), plain_name("a", 20)
    ('Green 小绿', None, None)
    """
    folded = " ".join(unicodedata.normalize("NFKC", text).split())
    digits = re.sub(r"[^0-9A-Za-z一-鿿]", "", folded)
    if not PSEUDONYM_MIN <= len(folded) <= longest or not folded.isprintable():
        return None
    return None if _PHONE.search(digits) else folded
