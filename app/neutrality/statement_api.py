"""Statements over HTTP (碳中和声明接口): issued by the organiser; page, print and proof for all."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from sqlmodel import Session

from app.certificates.public_api import FRESH
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.limits import Limit
from app.kernel.networks import few_of_network
from app.kernel.printing import PDF
from app.kernel.wiring import Configuration, Db, Secrets
from app.neutrality.gatherings import PREFIX, Gathering
from app.neutrality.organising import OF_ONE, ONE, GatheringId, Own
from app.neutrality.proofs import proof_of
from app.neutrality.statement_page import HEADERS, page_of
from app.neutrality.statement_pdf import pdf_of
from app.neutrality.statement_schemas import (
    NeutralityOut,
    NeutralityStatusOut,
    StatementIssuedOut,
    statement_issued_out,
)
from app.neutrality.statement_telling import told
from app.neutrality.statements import find_statement, issue_statement

PRINTS: Final = Limit("statements.printed", 60, timedelta(minutes=10))
PUBLIC: Final = "/v1/public/gatherings/{gathering_id}"
UNKNOWN: Final = {"s404": "There is no such gathering, or it has no such statement."}
FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "As JSON, or as a page for whoever asks for one.",
        "model": NeutralityOut,
        "content": {"text/html": {}},
    }
}
Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="The latest, if none is named. 版本")
]

router = APIRouter(tags=["gatherings 大型活动"])


@router.post(
    ONE + "/statement",
    operation_id="issueNeutralityStatement",
    summary="State that a gathering is neutral 出具碳中和声明",
    status_code=201,
    response_model=StatementIssuedOut,
    responses=problems(**OF_ONE),
)
def post_statement(own: Own) -> Response:
    """State it, once what was retired and given covers what was emitted."""

    def deed(session: Session, gathering: Gathering, at: datetime) -> StatementIssuedOut:
        return statement_issued_out(issue_statement(session, gathering, at=at))

    return own.once("gatherings.state", deed)


@router.get(
    PUBLIC,
    operation_id="getNeutralityStatement",
    summary="A gathering's statement 碳中和声明",
    response_class=Response,
    responses={**FORMS, **problems(**UNKNOWN)},
)
def get_statement(
    gathering_id: GatheringId,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    version: Version = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Show a statement: what is lacking of it by now comes first."""
    found, at = db.read(find_statement, parse_public_id(PREFIX, gathering_id), version), now()
    if "text/html" in accept:
        link = settings.site + PUBLIC.format(gathering_id=found.gathering.public)
        page = page_of(told(found, f"{at:%Y-%m-%d %H:%M UTC}"), link)
        return HTMLResponse(page, headers={**FRESH, **HEADERS})
    status = NeutralityStatusOut.model_validate(found.status(keys.receipt, at=at))
    said = NeutralityOut(status=status, statement={**found.statement.told})
    return JSONResponse(said.model_dump(mode="json"), headers=FRESH)


@router.get(
    PUBLIC + "/statement.pdf",
    operation_id="printNeutralityStatement",
    summary="A gathering's statement to print 打印碳中和声明",
    response_class=Response,
    dependencies=[few_of_network(PRINTS)],
    responses={
        200: {"description": "To print.", "content": {PDF: {}}},
        **problems(**UNKNOWN, s429="Too many prints from one network."),
    },
)
def get_pdf(
    gathering_id: GatheringId, db: Db, settings: Configuration, version: Version = None
) -> Response:
    """Print a statement, with a QR code to its page."""
    found, at = db.read(find_statement, parse_public_id(PREFIX, gathering_id), version), now()
    link = settings.site + PUBLIC.format(gathering_id=found.gathering.public)
    drawn = pdf_of(told(found, f"{at:%Y-%m-%d %H:%M UTC}"), link)
    return Response(drawn, media_type=PDF, headers=FRESH)


@router.get(
    PUBLIC + "/proof",
    operation_id="getNeutralityProof",
    summary="What checks a statement offline 碳中和声明证明",
    response_class=JSONResponse,
    responses={
        200: {
            "description": "`ledger/verify_statement.py` says what makes it true.",
            "content": {"application/json": {}},
        },
        **problems(**UNKNOWN),
    },
)
def get_proof(
    gathering_id: GatheringId,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    version: Version = None,
) -> JSONResponse:
    """Give the statement with the certificates of its retirements, to be checked offline."""
    named, at = parse_public_id(PREFIX, gathering_id), now()
    proof = db.read(proof_of, keys.receipt, settings.origin, named, version, at=at)
    return JSONResponse(proof, headers=FRESH)
