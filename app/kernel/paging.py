"""Pages of a list (分页): a limit, and an opaque cursor that says where the last page ended."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Protocol, TypeVar, cast
from uuid import UUID

from fastapi import Query

from app.kernel.problems import Refusal

PAGE_MAX: Final = 200
CURSOR_MAX: Final = 300
NUMBER_MAX: Final = 2**63 - 1
"""What a column of PostgreSQL holds; a cursor is written by whoever sends it."""

Place = str | int | date | UUID
"""One part of a sort key; an instant is a ``datetime``, which is a ``date``."""

Row = TypeVar("Row")
Out = TypeVar("Out")
Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)

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


class Page(Protocol[Out, Answer_co]):
    """The model of a list's answer."""

    def __call__(self, *, data: list[Out], next_cursor: str | None) -> Answer_co:
        """Make an answer."""
        ...


def page_of(
    page: Page[Out, Answer],
    found: Sequence[Row],
    limit: int,
    told: Callable[[Row], Out],
    place: Callable[[Row], tuple[Place, ...]],
) -> Answer:
    """Tell the first ``limit`` rows of a query that asked for one more, to see if others follow.

    ``place`` is a row's sort key; behind that of the last row the next page begins.

    >>> page_of(dict, [1, 2, 3], 3, str, lambda last: (last,))
    {'data': ['1', '2', '3'], 'next_cursor': None}
    >>> page_of(dict, [1, 2, 3], 2, str, lambda last: (last,))
    {'data': ['1', '2'], 'next_cursor': 'WzJd'}
    """
    following = write_cursor(*place(found[limit - 1])) if len(found) > limit else None
    return page(data=[told(each) for each in found[:limit]], next_cursor=following)


def write_cursor(*place: Place) -> str:
    """Write where a page ended: the sort key of its last row.

    >>> read_cursor(write_cursor(date(2026, 1, 1), 7), date, int)
    (datetime.date(2026, 1, 1), 7)
    """
    text = json.dumps([part if isinstance(part, str | int) else str(part) for part in place])
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: type[Place]) -> tuple[Any, ...]:
    """Read a cursor back as values of these kinds, each of which the database can hold.

    Raises:
        CursorInvalid: It is not of this form.
    """
    try:
        place: object = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        parts = cast("list[object]", place) if isinstance(place, list) else []
        return tuple(_READERS[kind](part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, RecursionError) as error:
        raise CursorInvalid from error


def _number(part: object) -> int:
    if type(part) is not int or not -NUMBER_MAX <= part <= NUMBER_MAX:
        raise ValueError(part)
    return part


def _text(part: object) -> str:
    if not isinstance(part, str) or "\0" in part or not part.isprintable():
        raise ValueError(part)
    return part


def _instant(part: object) -> datetime:
    found = datetime.fromisoformat(_text(part))
    if found.tzinfo is None:
        raise ValueError(part)
    return found


_READERS: Final[dict[type, Callable[[object], Place]]] = {
    int: _number,
    str: _text,
    datetime: _instant,
    date: lambda part: date.fromisoformat(_text(part)),
    UUID: lambda part: UUID(_text(part)),
}
