"""Proposals over HTTP (方法学提案接口): propose, revise, review, ask for publication."""

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.governance.proposals import (
    Proposal,
    find_proposal,
    proposals,
    propose,
    report_of,
    review,
    reviews_of,
    revise,
)
from app.governance.publishing import ask_publication
from app.governance.schemas import (
    ProposalIn,
    ProposalOut,
    ProposalPage,
    PublicationIn,
    ReviewIn,
    RevisionIn,
)
from app.governance.showing import proposal_out, proposal_row
from app.kernel.auth import desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.staff import ApprovalOut, answer_asked

router = APIRouter(prefix="/v1/methodology-proposals", tags=["governance 方法学治理"])

Proposer = Annotated[Principal, desk(Scope.METHODOLOGIES_PROPOSE)]
Expert = Annotated[Principal, desk(Scope.METHODOLOGIES_REVIEW)]
Publisher = Annotated[Principal, desk(Scope.METHODOLOGIES_PUBLISH)]
ProposalId = Annotated[str, Path(max_length=40, examples=["mpr_01k0000000000000000000000a"])]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "Your role may not do this, or the document is your own.",
}
KEYED: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s422": "Not of the documented form, or the Idempotency-Key was used for another request.",
}
UNKNOWN: Final = "No such proposal."


@router.post(
    "",
    operation_id="proposeMethodology",
    summary="Propose a methodology document 提出方法学",
    status_code=201,
    response_model=ProposalOut,
    responses=problems(**KEYED),
)
def post_proposal(
    request: Request,
    who: Proposer,
    db: Db,
    body: ProposalIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Lay a document before the experts; the answer has the machine's report on it."""
    at, proposal = now(), new_id()

    def deed(session: Session) -> ProposalOut:
        summary = body.summary
        propose(session, who, body.document, summary=summary, proposal=proposal, at=at)
        return _whole(session, proposal)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.get(
    "",
    operation_id="listMethodologyProposals",
    summary="List proposals 提案列表",
    responses=problems(**DENIED, s422="The cursor is not one of this list."),
)
def list_proposals(
    _who: Proposer, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> ProposalPage:
    """List all proposals, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(proposals, before=before, limit=limit + 1)
    return page_of(ProposalPage, found, limit, proposal_row, lambda last: (last.id,))


@router.get(
    "/{proposal_id}",
    operation_id="getMethodologyProposal",
    summary="Read a proposal with its report 查看提案",
    responses=problems(**DENIED, s404=UNKNOWN),
)
def get_proposal(_who: Proposer, db: Db, proposal_id: ProposalId) -> ProposalOut:
    """Give the newest text, the report on it as of now, and every review."""
    return db.read(_whole, parse_public_id("mpr", proposal_id))


@router.post(
    "/{proposal_id}/revisions",
    operation_id="reviseMethodologyProposal",
    summary="Revise one's proposal 修订提案",
    status_code=201,
    response_model=ProposalOut,
    responses=problems(**KEYED, s404=UNKNOWN, s409="It is published."),
)
def post_revision(
    request: Request,
    who: Proposer,
    db: Db,
    proposal_id: ProposalId,
    body: RevisionIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Put another text in place of the newest; what was voted on that does not count for it."""
    at, proposal = now(), parse_public_id("mpr", proposal_id)

    def deed(session: Session) -> ProposalOut:
        revise(session, who, proposal, body.document, note=body.note, at=at)
        return _whole(session, proposal)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{proposal_id}/reviews",
    operation_id="reviewMethodologyProposal",
    summary="Review a revision 专家评审",
    status_code=201,
    response_model=ProposalOut,
    responses=problems(
        **KEYED, s404=UNKNOWN, s409="Reviewed before, published, or there is a newer revision."
    ),
)
def post_review(
    request: Request,
    who: Expert,
    db: Db,
    proposal_id: ProposalId,
    body: ReviewIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Say what an expert thinks of the newest revision, once."""
    at, proposal = now(), parse_public_id("mpr", proposal_id)

    def deed(session: Session) -> ProposalOut:
        review(session, who, proposal, body.revision, body.vote, body.comment, at=at)
        return _whole(session, proposal)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{proposal_id}/publication",
    operation_id="askMethodologyPublication",
    summary="Ask for the publication of a revision 申请发布",
    status_code=202,
    response_model=ApprovalOut,
    responses=problems(
        **KEYED,
        s404=UNKNOWN,
        s409="It lacks approvals or has faults, is published, or awaits its signature already.",
    ),
)
def post_publication(
    request: Request,
    who: Publisher,
    db: Db,
    proposal_id: ProposalId,
    body: PublicationIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; a second person's signature publishes it."""
    proposal = parse_public_id("mpr", proposal_id)
    asks = partial(ask_publication, proposal=proposal, revision=body.revision)
    return answer_asked(request, db, who, idempotency_key, body, asks, 202, reason=body.reason)


def _whole(session: Session, proposal: UUID | None) -> ProposalOut:
    found: Proposal = find_proposal(session, proposal)
    report = report_of(session, found.source, at=now())
    return proposal_out(found, report, reviews_of(session, found.id))
