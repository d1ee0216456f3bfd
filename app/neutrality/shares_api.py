"""Shares over HTTP (份额接口): an organiser seals tickets, and whoever has one claims its share."""

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.limits import Limit as Rate
from app.kernel.networks import few_of_network
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Configuration, Db, Secrets
from app.neutrality.gatherings import PREFIX as GATHERING
from app.neutrality.gatherings import Gathering, find_gathering
from app.neutrality.organising import (
    DENIED,
    OF_ONE,
    ONE,
    OWN,
    GatheringId,
    Organiser,
    Own,
    gathering_of,
)
from app.neutrality.shares import (
    PREFIX,
    ShareIssue,
    claim_share,
    find_issue,
    issue_shares,
    share_issues,
    words_of,
)
from app.neutrality.shares_schemas import (
    ShareClaimIn,
    ShareIssueIn,
    ShareIssueOut,
    ShareIssuePage,
    ShareOut,
    TicketsOut,
    issue_out,
    share_out,
)
from app.neutrality.statement_page import HEADERS

CLAIMS: Final = Rate("shares.claimed", 2_000, timedelta(minutes=10))
"""Of one network: a stadium is behind one, and the words on a ticket are beyond guessing."""
CLAIM_PAGE: Final = "/v1/public/gatherings/{gathering_id}/share"
IssueId = Annotated[
    str, Path(pattern=r"^shi_[0-9a-z]{26}$", examples=["shi_01k0000000000000000000000a"])
]

router = APIRouter(tags=["gatherings 大型活动"])


@router.post(
    ONE + "/shares",
    operation_id="issueShares",
    summary="Seal tickets for shares 制作份额票",
    status_code=201,
    response_model=ShareIssueOut,
    responses=problems(**OF_ONE),
)
def post_shares(body: ShareIssueIn, own: Own, keys: Secrets) -> Response:
    """Seal so many tickets of as much each: what is reserved and retired must bear them all."""
    id_ = new_id()

    def deed(session: Session, gathering: Gathering, at: datetime) -> ShareIssueOut:
        made = ShareIssue(id_, body.tickets, body.share_mg, at)
        issue_shares(session, gathering, made, words_of(keys, made))
        return issue_out(made)

    return own.once("gatherings.shares", deed, body=body)


@router.get(
    ONE + "/shares",
    operation_id="listShareIssues",
    summary="Tickets that were sealed 份额票列表",
    responses=problems(**DENIED, **OWN, s422="The cursor is not of this list."),
)
def list_shares(
    me: Organiser, db: Db, gathering_id: GatheringId, limit: Limit = 50, cursor: Cursor = None
) -> ShareIssuePage:
    """List them, the newest first, and how many have claimed."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    gathering = db.read(gathering_of, me, gathering_id)
    found = db.read(share_issues, gathering, before=before, limit=limit + 1)
    return page_of(ShareIssuePage, found, limit, issue_out, lambda last: (last.id,))


@router.get(
    ONE + "/shares/{issue_id}/tickets",
    operation_id="getShareTickets",
    summary="What to print on tickets 份额票二维码",
    responses=problems(**DENIED, s404="There is no such gathering or issue of yours."),
)
def get_tickets(
    me: Organiser,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    gathering_id: GatheringId,
    issue_id: IssueId,
) -> TicketsOut:
    """Give the links of an issue's tickets; the server keeps no list of them."""
    gathering = db.read(gathering_of, me, gathering_id)
    issue = db.read(find_issue, gathering, parse_public_id(PREFIX, issue_id))
    page = settings.site + CLAIM_PAGE.format(gathering_id=gathering.public)
    return TicketsOut(links=[f"{page}#{words}" for words in words_of(keys, issue)])


@router.post(
    "/v1/public/gatherings/{gathering_id}/shares",
    operation_id="claimShare",
    summary="Claim the share of a ticket 领取份额",
    dependencies=[few_of_network(CLAIMS)],
    responses=problems(
        s404="There is no such gathering or ticket.",
        s409="As much was not retired yet.",
        s422="The request is not of the documented form.",
        s429="Too many claims from one network.",
    ),
)
def post_claim(gathering_id: GatheringId, body: ShareClaimIn, db: Db) -> ShareOut:
    """Claim it, once and for ever; the same ticket claims the same, less what was lost since."""
    gathering = parse_public_id(GATHERING, gathering_id)
    return share_out(db.transact(claim_share, gathering, body.ticket, at=now()))


@router.get(
    CLAIM_PAGE,
    operation_id="getSharePage",
    summary="The page of a ticket 份额页",
    response_class=HTMLResponse,
    responses=problems(s404="There is no such gathering."),
)
def get_page(gathering_id: GatheringId, db: Db) -> HTMLResponse:
    """Show the page that a ticket's QR code opens: its words stay in the browser until claimed."""
    db.read(find_gathering, parse_public_id(GATHERING, gathering_id), organisation=None)
    return HTMLResponse(_file("share.html"), headers=HEADERS)


@router.get(
    "/v1/public/share.js",
    operation_id="getShareProgram",
    summary="The program of a ticket's page 份额页程序",
    response_class=Response,
    responses={200: {"description": "The program.", "content": {"text/javascript": {}}}},
)
def get_program() -> Response:
    """Give what the page runs: it sends the ticket's words, and shows what they claimed."""
    kind = "text/javascript; charset=utf-8"
    return Response(
        _file("share.js"), media_type=kind, headers={"cache-control": "public, max-age=3600"}
    )


@cache
def _file(name: str) -> bytes:
    return files("app.neutrality").joinpath(name).read_bytes()
