"""How personal answers leave (个人数据的应答): tagged, and bounded."""

import re
from datetime import date
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Header, Query, Response
from pydantic import BaseModel

from app.wallet.errors import PeriodInvalid
from app.wallet.rules import months_before

_MONTH: Final = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")

KnownTag = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="ETag that the reader has."),
]
Month = Annotated[
    str | None,
    Query(max_length=7, pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="YYYY-MM. 月份"),
]


def tagged(model: BaseModel, known: str | None) -> Response:
    """Answer with a model under its tag, or 304 where the reader has it already."""
    body = model.model_dump_json().encode()
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag}
    if known and tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def month_days(text: str) -> tuple[date, date]:
    """Give the first and the last day of a month.

    >>> month_days("2026-02")
    (datetime.date(2026, 2, 1), datetime.date(2026, 2, 28))

    Raises:
        PeriodInvalid: It is not a month of this century.
    """
    if not _MONTH.fullmatch(text):
        raise PeriodInvalid(month=text[:20])
    first = date(int(text[:4]), int(text[5:]), 1)
    following = months_before(first, -1)
    return first, date.fromordinal(following.toordinal() - 1)


def period(month: str | None, since: date | None, until: date | None) -> tuple[date, date]:
    """Give the days that a reader asked for, by month or by first and last.

    Raises:
        PeriodInvalid: Both ways at once, or the first comes after the last.
    """
    if month is not None and (since is not None or until is not None):
        raise PeriodInvalid(month=month)
    first, last = month_days(month) if month else (since or FIRST_DAY, until or LAST_DAY)
    if first > last or first < FIRST_DAY or last > LAST_DAY:
        raise PeriodInvalid(since=first.isoformat(), until=last.isoformat())
    return first, last


FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
