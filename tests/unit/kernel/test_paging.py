"""Cursors (游标): anybody can write one, so only what the database can hold comes through."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.paging import CursorInvalid, page_of, read_cursor, write_cursor

AT = datetime(2026, 6, 1, 12, 30, 0, 1, tzinfo=UTC)
PLACE = (7, "sz-metro", AT, date(2026, 6, 1), UUID(int=9))
KINDS = (int, str, datetime, date, UUID)


def written(value: object) -> str:
    """A cursor as somebody else writes it."""
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_place_is_read_back_as_it_was_written() -> None:
    assert read_cursor(write_cursor(*PLACE), *KINDS) == PLACE


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (["7"], int),
        ([True], int),
        ([1.0], int),
        ([2**63], int),
        ([-(2**63)], int),
        ([7], str),
        (["a\0b"], str),
        (["\ud800"], str),
        (["2026-06-01T12:30:00"], datetime),
        (["yesterday"], datetime),
        (["infinity"], datetime),
        (["2026-02-30"], date),
        (["act_1"], UUID),
        ([], int),
        ([1, 2], int),
        ({"0": 1}, int),
        ("x", str),
        (None, int),
    ],
)
def test_what_no_list_wrote_is_refused(value: object, kind: type[int]) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(written(value), kind)


@given(rows=st.integers(0, 12), limit=st.integers(1, 5))
def test_pages_hold_every_row_once_and_none_is_empty_but_the_only(rows: int, limit: int) -> None:
    told: list[int] = []
    cursor = write_cursor(-1)
    for _ in range(max(1, -(-rows // limit))):
        (after,) = read_cursor(cursor, int)
        found = range(after + 1, min(after + 2 + limit, rows))
        page = page_of(dict[str, Any], found, limit, lambda row: row, lambda last: (last,))
        told += page["data"]
        cursor = page["next_cursor"]
    assert (told, cursor) == (list(range(rows)), None)


@given(st.text("abcXYZ019-_", max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        (number,) = read_cursor(text, int)
    except CursorInvalid:
        return
    assert isinstance(number, int)
