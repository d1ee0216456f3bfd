"""What anybody may see of the registry (登记簿公示): lots, samples, batches, units; no person."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Response
from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.registry.batch_schemas import (
    BatchOut,
    BatchPage,
    SerialOut,
    UnitRowPage,
    shown_batch,
    shown_batch_brief,
    shown_serial,
    shown_unit_row,
)
from app.registry.batches import PREFIX as BATCH
from app.registry.batches import batches, find_batch, units_of
from app.registry.lineage import leaves_of_unit, tile_of
from app.registry.lots import PREFIX as LOT
from app.registry.lots import find_lot, lots
from app.registry.replacing import standing_of
from app.registry.report_page import page_of_report
from app.registry.reporting import Report, report_of
from app.registry.schemas import (
    DrawnPage,
    LotOut,
    LotPage,
    TermsOut,
    shown_brief,
    shown_drawn,
    shown_rate,
)
from app.registry.showing import whole_lot
from app.registry.terms import terms_in_force
from app.registry.verification import error_rate_of, sampled_rows

router = APIRouter(prefix="/v1/public", tags=["public 公开"])

LotId = Annotated[str, Path(max_length=40, examples=["lot_01k0000000000000000000000a"])]
BatchId = Annotated[str, Path(max_length=40, examples=["ibt_01k0000000000000000000000a"])]
CURSOR: Final = "The cursor is not one of this list."
NO_LOT: Final = "No such lot."
NO_BATCH: Final = "No such batch or unit."


@router.get(
    "/issuance-terms",
    operation_id="getIssuanceTerms",
    summary="The terms of issuance 签发条款",
    responses=problems(s409="None were set yet."),
)
def get_terms(db: Db) -> TermsOut:
    """Show what the buffer keeps and how many acts of a lot are looked at."""
    return TermsOut(**db.read(terms_in_force)._asdict())


@router.get(
    "/lots",
    operation_id="listLots",
    summary="Lots on their way to issuance 批次池列表",
    responses=problems(s422=CURSOR),
)
def list_lots(db: Db, limit: Limit = 50, cursor: Cursor = None) -> LotPage:
    """List lots, the newest first."""
    before = read_cursor(cursor, datetime, UUID) if cursor else None
    found = db.read(lots, before=before, limit=limit + 1)
    return page_of(LotPage, found, limit, shown_brief, lambda last: (last.begun_at, last.id))


@router.get(
    "/lots/{lot_id}",
    operation_id="getLot",
    summary="A lot with its seed, error rate and decision 批次池详情",
    responses=problems(s404=NO_LOT),
)
def get_lot(db: Db, lot_id: LotId) -> LotOut:
    """Show a lot: what decides its sample, what was found, what became of it."""
    return db.read(whole_lot, parse_public_id(LOT, lot_id))


@router.get(
    "/lots/{lot_id}/report",
    operation_id="getLotReport",
    summary="The monitoring report of a lot 监测报告",
    response_class=Response,
    responses=problems(s404="No such lot, or no report yet."),
)
def get_report(db: Db, lot_id: LotId) -> Response:
    """Give the report's own bytes, whose hash the lot names."""
    found = db.read(_report, lot_id)
    return Response(found.body, media_type="application/json")


@router.get(
    "/lots/{lot_id}/report.html",
    operation_id="getLotReportPage",
    summary="That report as a page 监测报告网页",
    response_class=Response,
    responses=problems(s404="No such lot, or no report yet."),
)
def get_report_page(db: Db, lot_id: LotId) -> Response:
    """Show the report to people."""
    return Response(page_of_report(db.read(_report, lot_id)), media_type="text/html")


@router.get(
    "/lots/{lot_id}/sample",
    operation_id="listDrawn",
    summary="The sampled rows of a lot 抽样结果",
    responses=problems(s404=NO_LOT, s422=CURSOR),
)
def list_drawn(db: Db, lot_id: LotId, limit: Limit = 50, cursor: Cursor = None) -> DrawnPage:
    """List what was drawn, in its order, and what was found; leaves open to their owners alone."""
    (after,) = read_cursor(cursor, int) if cursor else (0,)
    lot = db.read(find_lot, parse_public_id(LOT, lot_id))
    found = db.read(sampled_rows, lot.id, after=after, limit=limit + 1)
    return page_of(DrawnPage, found, limit, shown_drawn, lambda last: (last.draw,))


@router.get(
    "/lots/{lot_id}/tiles/{level}/{number}",
    operation_id="getLotTile",
    summary="Leaves of a lot, 256 at once 批次池叶子分块",
    response_class=Response,
    responses=problems(s404="No such tile."),
)
def get_tile(
    db: Db,
    lot_id: LotId,
    level: Annotated[int, Path(ge=0, le=7)],
    number: Annotated[int, Path(ge=0, le=2**31 - 1)],
) -> Response:
    """Give a tile of the tree over a lot's leaves, as C2SP has them; level 0 is the leaves."""
    data = db.read(tile_of, parse_public_id(LOT, lot_id), level, number)
    return Response(data, media_type="application/octet-stream")


@router.get(
    "/issue-batches",
    operation_id="listIssueBatches",
    summary="Issue batches 签发批次列表",
    responses=problems(s422=CURSOR),
)
def list_batches(db: Db, limit: Limit = 50, cursor: Cursor = None) -> BatchPage:
    """List what was issued, the newest first."""
    (before,) = read_cursor(cursor, int) if cursor else (None,)
    found = db.read(batches, before=before, limit=limit + 1)
    return page_of(BatchPage, found, limit, shown_batch_brief, lambda last: (last.number,))


@router.get(
    "/issue-batches/{batch_id}",
    operation_id="getIssueBatch",
    summary="An issue batch 签发批次详情",
    responses=problems(s404=NO_BATCH),
)
def get_batch(db: Db, batch_id: BatchId) -> BatchOut:
    """Show a batch: how much of it is used, how far it is short and what replaced that."""
    return db.read(_whole, batch_id)


@router.get(
    "/issue-batches/{batch_id}/units/{number}",
    operation_id="openUnit",
    summary="The acts that a unit is of 单位溯源",
    responses=problems(s404=NO_BATCH, s422=CURSOR),
)
def open_unit(
    db: Db,
    batch_id: BatchId,
    number: Annotated[int, Path(ge=1, le=9_999_999_999)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> UnitRowPage:
    """Open a unit to the leaves of its acts; an owner opens theirs, and shows it at will."""
    (after,) = read_cursor(cursor, str) if cursor else ("",)

    def query(session: Session) -> UnitRowPage:
        batch = find_batch(driver(session), parse_public_id(BATCH, batch_id))
        found = leaves_of_unit(driver(session), batch, number, after=after, limit=limit + 1)
        return page_of(UnitRowPage, found, limit, shown_unit_row, lambda last: (last.hex(),))

    return db.read(query)


@router.get(
    "/serials/{serial}",
    operation_id="readSerial",
    summary="What units a serial names 序列号查询",
    responses=problems(s404="It is no serial, or of no units that were issued."),
)
def read_serial(db: Db, serial: Annotated[str, Path(max_length=80)]) -> SerialOut:
    """Read a serial, hold it to what was issued, and say how much of it has been retired."""
    return shown_serial(serial, *db.read(units_of, serial))


def _report(session: Session, lot: str) -> Report:
    return report_of(session, find_lot(session, parse_public_id(LOT, lot)).id)


def _whole(session: Session, batch: str) -> BatchOut:
    connection = driver(session)
    found = find_batch(connection, parse_public_id(BATCH, batch))
    rate = shown_rate(error_rate_of(session, found.lot))
    return shown_batch(found, standing_of(connection, found.id), rate)
