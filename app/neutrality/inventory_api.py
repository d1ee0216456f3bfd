"""Inventories over HTTP (排放清单接口): lines, tables of lines, closing, and what was closed."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problem, problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.sheets import CSV, TABLE_MAX
from app.kernel.wiring import Db
from app.neutrality.gathering_errors import LinesTableRefused
from app.neutrality.gatherings import PREFIX, Gathering, find_gathering, lock_gathering
from app.neutrality.imports import Read, TableKind, Understood, understood
from app.neutrality.inventories import close_inventory, find_inventory
from app.neutrality.inventory_rules import LINE, Stage, line_of
from app.neutrality.inventory_schemas import (
    ClosingIn,
    ImportLineOut,
    InventoryOut,
    LinePage,
    LinesImportOut,
    LinesIn,
    LinesOut,
    closing_in,
    entry_in,
    inventory_out,
    line_out,
)
from app.neutrality.lines import add_lines, lines_of, remove_line
from app.neutrality.organising import (
    DENIED,
    OF_ONE,
    ONE,
    OWN,
    GatheringId,
    Organiser,
    Own,
    gathering_of,
    raw_body,
)
from app.staff import note_act

router = APIRouter(tags=["gatherings 大型活动"])

LINES: Final = ONE + "/inventory/lines"
TABLES: Final = ONE + "/inventory/tables/{kind}"
LARGER_BODIES: Final = {TABLES: TABLE_MAX}
"""For ``app.kernel.http.install``: which path takes how much [bytes]."""
FAULTS_TOLD: Final = 200
StageAsked = Annotated[Stage, Query(description="Of what is expected, or of what was. 阶段")]
Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="The latest, if none is named. 版本")
]
LineId = Annotated[
    str, Path(pattern=r"^lin_[0-9a-z]{26}$", examples=["lin_01k0000000000000000000000c"])
]
NONE_CLOSED: Final = {"s404": "Your organisation has no such gathering, or none was closed."}


class TableSent(BaseModel):
    """A table that was sent, as an Idempotency-Key tells it from another."""

    sha256: str


@router.get(
    LINES,
    operation_id="listInventoryLines",
    summary="Lines of the next inventory 清单草稿条目",
    responses=problems(**DENIED, **OWN, s422="The cursor is not of this list."),
)
def list_lines(
    me: Organiser,
    db: Db,
    gathering_id: GatheringId,
    stage: StageAsked = Stage.ACTUAL,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> LinePage:
    """List the lines that the next closing will take, in the order in which they were added."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    gathering = db.read(gathering_of, me, gathering_id)
    found = db.read(lines_of, gathering, stage, after=after, limit=limit + 1)
    return page_of(LinePage, found, limit, line_out, lambda last: (last.id,))


@router.post(
    LINES,
    operation_id="addInventoryLines",
    summary="Add lines 添加清单条目",
    status_code=201,
    response_model=LinesOut,
    responses=problems(
        **OF_ONE
        | {
            "s409": "The inventory has too many lines.",
            "s422": "A line names no usable factor of its category and place, or its unit, tier "
            "or evidence does not fit.",
        }
    ),
)
def post_lines(body: LinesIn, own: Own) -> Response:
    """Add lines, all or none, each computed by the published row that it names."""
    ids = [new_id() for _ in body.lines]

    def deed(session: Session, gathering: Gathering, at: datetime) -> LinesOut:
        told = zip(ids, map(entry_in, body.lines), strict=True)
        lines = [line_of(gathering, body.stage, "entered", id_, entry) for id_, entry in told]
        add_lines(session, gathering, body.stage, lines, at=at)
        return LinesOut(data=[line_out(each) for each in lines])

    return own.once("gatherings.lines", deed, body=body)


@router.delete(
    LINES + "/{line_id}",
    operation_id="removeInventoryLine",
    summary="Take a line out 删除清单条目",
    status_code=204,
    responses=problems(**DENIED, s404="Your organisation has no such gathering or line."),
)
def delete_line(me: Organiser, db: Db, gathering_id: GatheringId, line_id: LineId) -> None:
    """Take a line out of the next inventory; those that were closed keep it."""
    at, gathering, line = (
        now(),
        parse_public_id(PREFIX, gathering_id),
        parse_public_id(LINE, line_id),
    )

    def command(session: Session) -> None:
        locked = lock_gathering(session, gathering, organisation=me.organisation)
        remove_line(session, locked, line)
        note_act(session, me.who.name, "gatherings.line_out", locked.public, at=at)

    db.transact(command)


@router.post(
    TABLES,
    operation_id="importInventoryLines",
    summary="Add lines from a table 批量导入清单条目",
    status_code=201,
    response_model=LinesImportOut,
    responses={200: {"description": "A dry run: nothing was added.", "model": LinesImportOut}}
    | problems(
        **OF_ONE
        | {
            "s409": "The inventory has too many lines.",
            "s422": "It is no such table, or a row is no line: `errors` points at each, and none "
            "was added.",
        }
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {CSV: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def post_table(
    request: Request,
    own: Own,
    kind: TableKind,
    body: Annotated[bytes, Depends(raw_body)],
    stage: StageAsked = Stage.ACTUAL,
    *,
    dry_run: Annotated[bool, Query(description="Tell what would become of it. 试运行")] = True,
) -> Response:
    """Add suppliers' rows as lines, or attendees' rows added up; a dry run writes nothing."""
    gathering = own.db.read(find_gathering, own.gathering, organisation=own.me.organisation)
    read = understood(kind, body, gathering, stage, new_id)
    if dry_run:
        return Response(_told(read, dry_run=True).model_dump_json(), media_type="application/json")
    if faults := [fault.model_dump() for row in read.rows for fault in row.faults]:
        return problem(request, LinesTableRefused(faults=len(faults)), faults[:FAULTS_TOLD])

    def deed(session: Session, locked: Gathering, at: datetime) -> LinesImportOut:
        add_lines(session, locked, stage, read.lines, at=at)
        return _told(read, dry_run=False)

    return own.once("gatherings.table", deed, body=TableSent(sha256=sha256(body).hexdigest()))


@router.post(
    ONE + "/inventory",
    operation_id="closeInventory",
    summary="Close an inventory 形成排放清单",
    status_code=201,
    response_model=InventoryOut,
    responses=problems(
        **OF_ONE
        | {
            "s409": "The gathering is not over, and what was emitted cannot be closed.",
            "s422": "A category has neither a line nor a reason, or both.",
        }
    ),
)
def post_inventory(body: ClosingIn, own: Own) -> Response:
    """Close the lines into the next version, a document that stands."""

    def deed(session: Session, gathering: Gathering, at: datetime) -> InventoryOut:
        closing = closing_in(body)
        return inventory_out(close_inventory(session, gathering, body.stage, closing, at=at))

    return own.once("gatherings.inventory", deed, body=body)


@router.get(
    ONE + "/inventory",
    operation_id="getInventory",
    summary="An inventory that was closed 查看排放清单",
    responses=problems(**DENIED, **NONE_CLOSED),
)
def get_inventory(
    me: Organiser,
    db: Db,
    gathering_id: GatheringId,
    stage: StageAsked = Stage.ACTUAL,
    version: Version = None,
) -> InventoryOut:
    """Give the latest inventory of a stage, or the version that is named."""
    gathering = db.read(gathering_of, me, gathering_id)
    return inventory_out(db.read(find_inventory, gathering.id, stage, version))


def _told(read: Understood, *, dry_run: bool) -> LinesImportOut:
    return LinesImportOut(
        dry_run=dry_run,
        refused=sum(bool(row.faults) for row in read.rows),
        rows=[_row_told(row, dry_run=dry_run) for row in read.rows],
        lines=[line_out(each) for each in read.lines],
    )


def _row_told(row: Read, *, dry_run: bool) -> ImportLineOut:
    outcome = "refused" if row.faults else "valid" if dry_run else "added"
    return ImportLineOut(row=row.number, outcome=outcome, errors=row.faults)
