"""Units seen by those whose they are (我的单位): a citizen's grams, an organisation's holdings."""

from datetime import date, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, Me
from app.kernel.clock import day_of, now
from app.kernel.db import driver
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.sheets import CSV
from app.kernel.wiring import Db, Secrets
from app.organisations import OrganisationMember, member
from app.registry.batch_schemas import (
    ACT,
    GramOut,
    HoldingsOut,
    OwnUnitsPage,
    shown_gram,
    shown_holdings,
    shown_own,
)
from app.registry.batches import holdings_of
from app.registry.errors import PeriodTooLong
from app.registry.lineage import open_row, own_units
from app.registry.lots import PREFIX as LOT
from app.registry.statement import csv_of, movements

mine = APIRouter(prefix="/v1/me", tags=["citizens 市民"])
holdings = APIRouter(prefix="/v1/holdings", tags=["registry 登记簿"])

Holder = Annotated[OrganisationMember, member(Scope.HOLDINGS_READ)]
PERIOD_MAX: Final = timedelta(days=366)


@mine.get(
    "/units",
    operation_id="listMyUnits",
    summary="Units that hold my grams 我的减排进了哪些单位",
    responses=problems(s422="The cursor is not one of this list."),
)
def list_units(db: Db, me: Me, limit: Limit = 50, cursor: Cursor = None) -> OwnUnitsPage:
    """List my acts that are in units, the newest lot first, with what became of the units."""
    before = read_cursor(cursor, UUID, UUID) if cursor else None
    found = db.read(own_units, me.bucket, me.owner, before=before, limit=limit + 1)
    return page_of(OwnUnitsPage, found, limit, shown_own, lambda last: (last.lot, last.activity))


@mine.get(
    "/units/{lot_id}/{activity_id}",
    operation_id="openMyGram",
    summary="Open my gram 打开我的一克",
    responses=problems(s404="Nothing of this act is in this lot, or it is somebody else's."),
)
def open_gram(
    db: Db,
    keys: Secrets,
    me: Me,
    lot_id: Annotated[str, Path(max_length=40, examples=["lot_01k…"])],
    activity_id: Annotated[str, Path(max_length=40, examples=["act_01k…"])],
) -> GramOut:
    """Open what of one act is in a lot: what opens its leaf, and the path to the lot's root."""
    place = (parse_public_id(LOT, lot_id), parse_public_id(ACT, activity_id))
    found = db.read(open_row, keys, me.bucket, me.owner, *place)
    return shown_gram(lot_id, activity_id, found)


@holdings.get(
    "",
    operation_id="listHoldings",
    summary="Units that one's organisation has 持有单位",
    responses=problems(**DENIED),
)
def get_holdings(db: Db, who: Holder) -> HoldingsOut:
    """Show what is available and what is reserved, batch by batch."""
    owner = who.who.owner

    def query(session: Session) -> HoldingsOut:
        return shown_holdings(holdings_of(driver(session), owner))

    return db.read(query)


@holdings.get(
    "/statement",
    operation_id="getHoldingsStatement",
    summary="Movements of a period, as a table 持有对账单",
    response_class=Response,
    responses=problems(
        **DENIED, s422="The period is longer than a year, or ends before it begins."
    ),
)
def get_statement(
    db: Db,
    who: Holder,
    since: Annotated[date | None, Query(description="First day. 起始日")] = None,
    until: Annotated[date | None, Query(description="Last day; today if absent. 截止日")] = None,
) -> Response:
    """Give every movement of units as CSV: what came, went, was reserved and used."""
    last = until or day_of(now())
    first = since or last.replace(day=1)
    if not first <= last <= first + PERIOD_MAX:
        raise PeriodTooLong(days_max=PERIOD_MAX.days)
    owner = who.who.owner
    table = db.read(lambda session: csv_of(movements(session, owner, first, last)))
    return Response(table, media_type=CSV)
