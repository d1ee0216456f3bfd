"""The library of published factors over HTTP (因子库接口): for anybody, row by row."""

from functools import cache
from hashlib import sha256
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from app.kernel.etags import OPEN, tagged
from app.kernel.http import NotFound, problems
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.neutrality.categories import Category, category_of
from app.neutrality.inventory_schemas import (
    FactorPage,
    FactorTableOut,
    FactorTablesOut,
    factor_out,
)
from methodologies.published import TABLES, FactorRow, rows_of, table_bytes

KEPT: Final = {"cache-control": "public, max-age=86400", **OPEN}
"""A published file does not change."""

router = APIRouter(prefix="/v1/public/factors", tags=["gatherings 大型活动"])

TableId = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9-]+$", examples=["desnz-2025"])]


@router.get("", operation_id="listFactorTables", summary="Published tables of factors 因子表")
def list_tables() -> FactorTablesOut:
    """List the tables that ship, each with the digest of its file."""
    return FactorTablesOut(data=[_table(id_) for id_ in TABLES])


@router.get(
    "/{table_id}",
    operation_id="listFactors",
    summary="Rows of a table 因子表各行",
    responses=problems(s404="There is no such table.", s422="The cursor is not of this list."),
)
def list_factors(
    table_id: TableId,
    category: Annotated[Category | None, Query(description="Fit for this only. 类别")] = None,
    words: Annotated[
        str | None, Query(max_length=60, description="In a row's names or id. 检索词")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FactorPage:
    """List rows that an inventory may name, in the table's order."""
    (start,) = read_cursor(cursor, int) if cursor else (0,)
    fit = [each for each in _fit(table_id) if category in (None, category_of(each))]
    asked = (words or "").casefold()
    found = [each for each in fit if asked in f"{each.id} {' '.join(each.names)}".casefold()]
    shown = found[max(start, 0) :][: limit + 1]
    return page_of(FactorPage, shown, limit, factor_out, lambda _: (max(start, 0) + limit,))


@router.get(
    "/{table_id}/file",
    operation_id="getFactorFile",
    summary="A table's file 因子表原文",
    response_class=Response,
    responses={
        200: {"description": "Byte for byte.", "content": {"text/csv": {}}},
        **problems(s404="There is no such table."),
    },
)
def get_file(table_id: TableId) -> Response:
    """Give DESNZ's file as it was published, or one of ours as we wrote it."""
    if table_id not in TABLES:
        raise NotFound
    return tagged(table_bytes(table_id), "text/csv; charset=utf-8", KEPT, None)


@cache
def _table(id_: str) -> FactorTableOut:
    of = TABLES[id_]
    return FactorTableOut(
        id=of.id,
        title=of.title,
        licence=of.licence,
        identity=of.identity,
        sha256=sha256(table_bytes(id_)).hexdigest(),
        rows=len(_fit(id_)),
    )


@cache
def _fit(table: str) -> tuple[FactorRow, ...]:
    if table not in TABLES:
        raise NotFound
    return tuple(each for each in rows_of(table).values() if category_of(each) is not None)
