"""Pages of a list (分页): a limit, and an opaque cursor that says where the last page ended."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Annotated, Final, cast

from fastapi import Query

from app.kernel.problems import Refusal

PAGE_MAX: Final = 200
CURSOR_MAX: Final = 300

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Rows a page. 每页条数")]
Cursor = Annotated[
    str | None,
    Query(max_length=CURSOR_MAX, pattern=r"^[A-Za-z0-9_-]+$", description="Of the page before."),
]


class CursorInvalid(Refusal):
    """The cursor is not one that this list gave."""

    code = "request.cursor_invalid"
    status = 422
    title_zh = "分页游标无效"


def write_cursor(*place: str | int) -> str:
    """Write where a page ended: the sort key of its last row.

    >>> read_cursor(write_cursor("2026-01-01", 7), str, int)
    ('2026-01-01', 7)
    """
    text = json.dumps(place, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: type) -> tuple[object, ...]:
    """Read a cursor back as values of these kinds.

    Raises:
        CursorInvalid: It is not of this form.
    """
    try:
        place: object = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (NotBase64, ValueError, RecursionError) as error:
        raise CursorInvalid from error
    parts = cast("list[object]", place) if isinstance(place, list) else []
    if [type(part) for part in parts] != list(kinds):
        raise CursorInvalid
    return tuple(parts)
