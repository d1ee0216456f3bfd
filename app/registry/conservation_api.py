"""Closings of units over HTTP (守恒公示接口): public, as they were signed."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import Day, problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.registry.conservation import closings, find_closing
from app.registry.conservation_schemas import ClosingPage, shown_day

FRESH: Final = {"cache-control": "public, max-age=300", **OPEN}
FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable", **OPEN}

router = APIRouter(prefix="/v1/public/conservation", tags=["public 公开"])


@router.get(
    "",
    operation_id="listClosings",
    summary="Days on which units were counted 守恒结账日",
    responses=problems(s422="The cursor is not of the documented form."),
)
def get_closings(
    db: Db, response: Response, limit: Limit = 50, cursor: Cursor = None
) -> ClosingPage:
    """List the days, the newest first, with the digest that an epoch's header commits to."""
    response.headers.update(FRESH)
    (before,) = read_cursor(cursor, date) if cursor else (date.max,)
    found = db.read(closings, before=before, limit=limit + 1)
    return page_of(ClosingPage, found, limit, shown_day, lambda last: (last.day,))


@router.get(
    "/{day}",
    operation_id="getClosing",
    summary="Where every unit was on a day 某日守恒结账",
    response_class=Response,
    responses=problems(s404="That day was not closed."),
)
def get_closing(
    day: Annotated[Day, Path(description="In Asia/Shanghai. 日期")],
    db: Db,
    if_none_match: Known = None,
) -> Response:
    """Give the bytes that were signed; the header ``Tanpu-Signature`` has Ed25519 over them."""
    found = db.read(find_closing, day)
    headers = {**FOR_EVER, "tanpu-signature": found.signature.hex()}
    return tagged(found.body, "application/json", headers, if_none_match)
