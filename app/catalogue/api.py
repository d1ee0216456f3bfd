"""The library for anybody (方法学库公开接口): list, read, calculate; nothing here is personal.

A version is answered as JSON, as its Markdown page or as the document itself, by ``Accept``.
Its grade is computed today, with the signatures in force and the approval of its scenario.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Response

from app.catalogue.library import document_of, source_of
from app.catalogue.reading import decided_version, rows_on, version_on
from app.catalogue.schemas import (
    CalculationIn,
    CalculationOut,
    MethodologyOut,
    MethodologyPage,
)
from app.catalogue.showing import calculate
from app.kernel.clock import day_of, now
from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Configuration, Db
from methodologies import Field, render

MARKDOWN: Final = "text/markdown"
TOML: Final = "application/toml"
JSON: Final = "application/json"
FRESH: Final = {"cache-control": "public, max-age=60", **OPEN}
PREFLIGHT: Final = {
    **OPEN,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "86400",
}
CALCULATIONS: Final = "/{code}/{version}/calculations"
UNKNOWN: Final = problems(s404="No such version.", s422="The request is not of this form.")

router = APIRouter(prefix="/v1/methodologies", tags=["public 公开"])

Code = Annotated[
    str, Path(max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", examples=["SZ-METRO"])
]
Version = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]
Accept = Annotated[str, Header(max_length=1000, description=f"{JSON}, {MARKDOWN} or {TOML}")]


@router.get(
    "",
    operation_id="listMethodologies",
    summary="List the library 列出方法学",
    response_model=MethodologyPage,
    responses=problems(s422="A filter or the cursor is not of this form."),
)
def list_methodologies(
    db: Db,
    limit: Limit = 50,
    cursor: Cursor = None,
    field: Annotated[Field | None, Query(description="领域")] = None,
    if_none_match: Known = None,
) -> Response:
    """List every version by code, with the grade it has today and why not a better one."""
    after = ("", 0) if cursor is None else read_cursor(cursor, str, int)
    known = db.read(rows_on, day_of(now()), field)
    rows = [row for row in known if (row.code, row.version) > after]
    page = page_of(
        MethodologyPage, rows, limit, lambda row: row, lambda row: (row.code, row.version)
    )
    return tagged(page.model_dump_json().encode(), JSON, FRESH, if_none_match)


@router.get(
    "/{code}/{version}",
    operation_id="getMethodology",
    summary="Read one version 查看方法学",
    response_model=MethodologyOut,
    responses={
        200: {
            "description": "The version; by `Accept` its page, or the document itself.",
            "content": {MARKDOWN: {}, TOML: {}},
        },
        **UNKNOWN,
    },
)
def get_methodology(
    db: Db,
    settings: Configuration,
    code: Code,
    version: Version,
    accept: Accept = JSON,
    if_none_match: Known = None,
) -> Response:
    """Give a version with its numbers, its signatures, its grade today and its chain state."""
    kind = _kind(accept)
    if kind == TOML:
        data = db.read(source_of, code, version)
    elif kind == MARKDOWN:
        data = render(db.read(document_of, code, version)).encode()
    else:
        today, production = day_of(now()), settings.is_production
        out = db.read(version_on, code, version, today, is_production=production)
        data = out.model_dump_json().encode()
    return tagged(data, kind, {**FRESH, "vary": "Accept"}, if_none_match)


@router.post(
    CALCULATIONS,
    operation_id="calculateReduction",
    summary="Calculate what an act would be worth 减排量测算",
    responses=problems(
        s404="No such version.",
        s409="Parameters are missing, so it refuses to run; the detail names them.",
        s422="An input cannot be read, is unknown, absent or out of its bounds.",
    ),
)
def post_calculation(
    db: Db, code: Code, version: Version, body: CalculationIn, response: Response
) -> CalculationOut:
    """Run a version on inputs, with the working; nothing is recorded and nobody is asked who."""
    response.headers.update(OPEN)
    document, decided = db.read(decided_version, code, version)
    return calculate(document, body, decided, day_of(now()))


@router.options(CALCULATIONS, include_in_schema=False)
def allow_calculation() -> Response:
    """Let pages of other origins calculate."""
    return Response(status_code=204, headers=PREFLIGHT)


def _kind(accept: str) -> str:
    """Choose the first of our forms that the reader names; JSON for whoever names none."""
    named = (each.split(";")[0].strip().lower() for each in accept.split(","))
    return next((each for each in named if each in {JSON, MARKDOWN, TOML}), JSON)
