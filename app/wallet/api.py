"""The citizen's reading API (市民查询接口): holdings, acts, days, and the receipt that proves them.

Every endpoint asks for the scope ``me`` and reads with the asker's own bucket and owner; an id of
somebody else's is answered as one that was never given.
"""

import json
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.anchoring import export_receipt
from app.kernel.auth import Me
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Configuration, Db
from app.wallet.act_schemas import ActDetailOut
from app.wallet.acts import ActFilter, acts_before, parts_of
from app.wallet.answers import KnownTag, Month, month_days, period, tagged
from app.wallet.errors import ActivityUnknown
from app.wallet.holdings import wallet_anew, wallet_of
from app.wallet.rules import OutcomeWord, Span, Total, by_day, by_span, months_before
from app.wallet.schemas import (
    ActPage,
    CalendarOut,
    TrendsOut,
    WalletOut,
    month_text,
    shown_act,
    shown_total,
    shown_wallet,
)
from app.wallet.telling import told_act

NOT_MINE = "There is no such activity, or it is somebody else's."
Code = Annotated[str | None, Query(max_length=100, pattern=r"^[A-Za-z0-9-]+$")]
EpochNumber = Annotated[int | None, Query(ge=1, le=2**62)]

router = APIRouter(prefix="/v1/me", tags=["citizens 市民"])


@router.get(
    "/wallet",
    operation_id="getWallet",
    summary="What I hold 我的钱包",
    response_model=WalletOut,
    responses={304: {"description": "The reader has this answer already."}},
)
def get_wallet(db: Db, me: Me, known: KnownTag = None) -> Response:
    """Show reductions by class and points by expiry, what expires soon, and the level."""
    place, today = (me.bucket, me.owner), day_of(now())
    found = db.look(wallet_of, *place, today=today) or db.read(wallet_anew, *place, today=today)
    return tagged(shown_wallet(*found), known)


def _filter(
    month: Month = None,
    since: Annotated[date | None, Query(description="First day of the acts. 起始日")] = None,
    until: Annotated[date | None, Query(description="Last day of the acts. 截止日")] = None,
    provider: Code = None,
    methodology: Code = None,
    outcome: OutcomeWord | None = None,
) -> ActFilter:
    first, last = period(month, since, until)
    return ActFilter(
        since=first, until=last, provider=provider, methodology=methodology, outcome=outcome
    )


@router.get(
    "/activities",
    operation_id="listActivities",
    summary="My activities 我的低碳行为",
    responses=problems(s422="The period or the cursor is not in its form."),
)
def list_activities(
    db: Db,
    me: Me,
    which: Annotated[ActFilter, Depends(_filter)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ActPage:
    """List what providers told of me and what became of it, the newest recorded first."""
    before = read_cursor(cursor, date, UUID) if cursor else None
    found = db.read(acts_before, me.bucket, me.owner, which, before=before, limit=limit + 1)
    return page_of(ActPage, found, limit, shown_act, lambda last: (last.recorded_on, last.id))


@router.get(
    "/activities/{activity_id}",
    operation_id="getActivity",
    summary="One activity with its full working 行为详情与计算过程",
    responses=problems(s404=NOT_MINE),
)
def get_activity(
    db: Db, me: Me, activity_id: Annotated[str, Path(max_length=40, examples=["act_01k…"])]
) -> ActDetailOut:
    """Show how one activity was computed, capped, merged, corrected and anchored."""
    activity = parse_public_id("act", activity_id)
    if activity is None:
        raise ActivityUnknown
    return db.read(told_act, me.bucket, me.owner, activity)


@router.get(
    "/calendar",
    operation_id="getCalendar",
    summary="Reductions of a month, day by day 减排日历",
    responses=problems(s422="The month is not written YYYY-MM."),
)
def get_calendar(db: Db, me: Me, month: Month = None) -> CalendarOut:
    """Show what each day of a month came to; the current month when none is named."""
    named = month or month_text(day_of(now()))
    first, last = month_days(named)
    parts = db.read(parts_of, me.bucket, me.owner, since=first, until=last)
    days = by_day(parts)
    whole = by_span(parts, "month", first, last)[first]
    return CalendarOut(
        month=named,
        days=[shown_total(day, days[day]) for day in sorted(days)],
        total=shown_total(first, whole),
    )


@router.get(
    "/trends",
    operation_id="getTrends",
    summary="Reductions by month or week 减排趋势",
    responses=problems(s422="The number of months is out of its bounds."),
)
def get_trends(
    db: Db,
    me: Me,
    by: Literal["month", "week"] = "month",
    months: Annotated[int, Query(ge=1, le=36, description="Up to this one. 月数")] = 12,
) -> TrendsOut:
    """Show a row of months or weeks that ends today, empty ones included."""
    today = day_of(now())
    sums = _sums(db, me, by, months_before(today, months - 1), today)
    return TrendsOut(by=by, data=[shown_total(first, sums[first]) for first in sorted(sums)])


def _sums(db: Db, me: Me, by: Span, since: date, until: date) -> dict[date, Total]:
    parts = db.read(parts_of, me.bucket, me.owner, since=since, until=until)
    return by_span(parts, by, since, until)


@router.get(
    "/receipt",
    operation_id="getReceipt",
    summary="My account receipt, to be checked without this server 账户回执",
    response_class=Response,
    responses={
        200: {"content": {"application/json": {"schema": {"type": "object"}}}},
        **problems(s404="No entry of mine is in that epoch or before it."),
    },
)
def get_receipt(
    request: Request,
    db: Db,
    me: Me,
    settings: Configuration,
    epoch: EpochNumber = None,
    since: EpochNumber = None,
) -> Response:
    """Give what opens my leaf of an epoch: the last, or any before; `since` for what is new."""
    receipt: dict[str, Any] = db.read(
        export_receipt,
        request.app.state.city.keys,
        settings.public_path,
        settings.origin,
        me.owner,
        epoch=epoch,
        since=since,
    )
    return Response(json.dumps(receipt), media_type="application/json")
