"""Points over HTTP (积分接口): a citizen's quote and exchanges, and every programme's figures."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.kernel.auth import Me
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.ids import new_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.points.exchanging import exchange, quote
from app.points.queries import exchanges_of, figures, figures_of
from app.points.schemas import (
    ExchangedOut,
    ExchangeIn,
    ExchangePage,
    ProgrammeOut,
    ProgrammePage,
    QuoteOut,
)
from app.points.telling import shown_exchange, shown_made, shown_programme, shown_quote

LAST: Final = UUID(int=2**128 - 1)
PUBLIC: Final = "public, max-age=60"
Code = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$", examples=["green"], description="计划编号")
]
Named = Annotated[
    str | None,
    Query(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$", description="The first one, if left out. 计划编号"),
]
CURSOR: Final = "The cursor is not of the documented form."

router = APIRouter(tags=["points 积分"])


@router.get(
    "/v1/me/exchange-quote",
    operation_id="quoteExchange",
    summary="What an exchange would bring now 兑换试算",
    responses=problems(s404="There is no such programme.", s422="The code is not in its form."),
)
def get_quote(db: Db, me: Me, programme: Named = None) -> QuoteOut:
    """Show every class that is held, with its rate and its whole points; promises nothing."""
    today = day_of(now())
    return shown_quote(db.read(quote, me.owner, programme, today=today), today)


@router.post(
    "/v1/me/exchanges",
    operation_id="exchange",
    summary="Exchange reductions for points 兑积分",
    status_code=201,
    response_model=ExchangedOut,
    responses=problems(
        s400="The Idempotency-Key is missing.",
        s404="There is no such programme.",
        s409="A class is not held, it is less than a point's worth, or the funds do not allow it.",
        s422="The request is not in its form, or the key was used for another.",
    ),
)
def post_exchange(
    request: Request, db: Db, me: Me, body: ExchangeIn, idempotency_key: IdempotencyKey = None
) -> Response:
    """Exchange whole points' worth a class; what is left over stays held."""
    id_, at = new_id(), now()
    wanted = {bytes.fromhex(each.class_id): each.co2e_mg for each in body.classes or ()}

    def deed(session: Session) -> ExchangedOut:
        facts = (me.owner, body.programme, wanted or None)
        return shown_made(exchange(session, *facts, exchange=id_, at=at, new_id=new_id), at)

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get(
    "/v1/me/exchanges",
    operation_id="listExchanges",
    summary="My exchanges 我的兑换",
    responses=problems(s422=CURSOR),
)
def list_exchanges(db: Db, me: Me, cursor: Cursor = None, limit: Limit = 50) -> ExchangePage:
    """List my exchanges, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(exchanges_of, me.bucket, me.owner, before=before, limit=limit + 1)
    return page_of(ExchangePage, found, limit, shown_exchange, lambda last: (last.id,))


@router.get(
    "/v1/public/programmes",
    operation_id="listProgrammes",
    summary="Programmes with their funds and rates 积分计划",
    responses=problems(s422=CURSOR),
)
def list_programmes(
    db: Db, response: Response, cursor: Cursor = None, limit: Limit = 50
) -> ProgrammePage:
    """List every programme: funds, promises, solvency, rates, rewards, points out there."""
    (after,) = read_cursor(cursor, int) if cursor else (0,)
    found = db.read(figures, after=after, limit=limit + 1)
    response.headers["Cache-Control"] = PUBLIC
    return page_of(ProgrammePage, found, limit, shown_programme, lambda last: (last.programme.id,))


@router.get(
    "/v1/public/programmes/{code}",
    operation_id="getProgramme",
    summary="One programme 单个积分计划",
    responses=problems(s404="There is no such programme.", s422="The code is not in its form."),
)
def get_programme(code: Code, db: Db, response: Response) -> ProgrammeOut:
    """Show one programme as anybody may see it."""
    response.headers["Cache-Control"] = PUBLIC
    return shown_programme(db.read(figures_of, code))
