"""A merchant's statements over HTTP (商户结算接口): read, checked, disputed.

Every statement is looked for among one's own: another merchant's is as if there were none.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.printing import PDF
from app.kernel.scopes import Scope
from app.kernel.sheets import CSV
from app.kernel.wiring import Db, Secrets
from app.merchants import Member, console, find_merchant
from app.settlements.csv_file import csv_of
from app.settlements.disputes import NewDispute, open_dispute
from app.settlements.errors import SettlementUnknown
from app.settlements.lines import PREFIX
from app.settlements.pdf_file import pdf_of
from app.settlements.queries import disputes_of, find_settlement, settlements_of
from app.settlements.schemas import (
    DisputeIn,
    DisputeOut,
    ProofsOut,
    SettlementDocument,
    SettlementPage,
)
from app.settlements.showing import (
    shown_dispute,
    shown_proofs,
    shown_settlement,
    shown_whole,
    whole_settlement,
)
from app.staff import note_act

router = APIRouter(prefix="/v1/merchant/settlements", tags=["settlements 结算"])

Payee = Annotated[Member, console(Scope.SETTLEMENTS_READ)]
SettlementId = Annotated[str, Path(max_length=40, examples=["set_01k0000000000000000000000a"])]
RedemptionId = Annotated[str, Path(max_length=40, examples=["rdm_01k0000000000000000000000c"])]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "You are not an owner of a merchant, or one of the two is suspended.",
}
UNKNOWN: Final = "Your merchant has no such statement."


@router.get(
    "",
    operation_id="listMySettlements",
    summary="Your merchant's statements 本商户结算单",
    responses=problems(**DENIED, s422="The cursor is not of the documented form."),
)
def list_settlements(me: Payee, db: Db, limit: Limit = 50, cursor: Cursor = None) -> SettlementPage:
    """List statements, the newest day first."""
    (before,) = read_cursor(cursor, date) if cursor else (None,)
    found = db.read(settlements_of, *_place(me), before=before, limit=limit + 1)
    return page_of(SettlementPage, found, limit, shown_settlement, lambda last: (last.day,))


# Before the bare one, whose id would take the ending in.
@router.get(
    "/{settlement_id}.csv",
    operation_id="getMySettlementCsv",
    summary="A statement's lines as a table 结算明细表格",
    response_class=Response,
    responses={
        200: {"description": "One row a line.", "content": {CSV: {}}},
        **problems(**DENIED, s404=UNKNOWN),
    },
)
def get_csv(me: Payee, db: Db, settlement_id: SettlementId) -> Response:
    """Write every line; what a spreadsheet would run is made safe by an apostrophe."""
    whole = db.read(whole_settlement, parse_public_id(PREFIX, settlement_id), _place(me))
    return _file(csv_of(whole), f"{whole.row.public}.csv", f"{CSV}; charset=utf-8")


@router.get(
    "/{settlement_id}.pdf",
    operation_id="getMySettlementPdf",
    summary="A statement to print 结算单 PDF",
    response_class=Response,
    responses={
        200: {"description": "Sums, lines, root and signature.", "content": {PDF: {}}},
        **problems(**DENIED, s404=UNKNOWN),
    },
)
def get_pdf(me: Payee, db: Db, settlement_id: SettlementId) -> Response:
    """Draw it in Chinese and English; what binds is the signed text."""
    whole = db.read(whole_settlement, parse_public_id(PREFIX, settlement_id), _place(me))
    merchant = db.read(find_merchant, me.merchant)
    return _file(pdf_of(whole, merchant), f"{whole.row.public}.pdf", PDF)


@router.get(
    "/{settlement_id}",
    operation_id="getMySettlement",
    summary="A statement, signed, with its lines 查看结算单",
    responses=problems(**DENIED, s404=UNKNOWN),
)
def get_settlement(
    me: Payee, db: Db, keys: Secrets, settlement_id: SettlementId
) -> SettlementDocument:
    """Give it whole, as `tanpu verify settlement` takes it."""
    whole = db.read(whole_settlement, parse_public_id(PREFIX, settlement_id), _place(me))
    return shown_whole(whole, keys.receipt.public_key())


@router.get(
    "/{settlement_id}/redemptions/{redemption_id}/proof",
    operation_id="proveMyRedemption",
    summary="Proof that a redemption is in a statement 核销包含证明",
    responses=problems(**DENIED, s404="Your merchant has no such statement, or it no such line."),
)
def get_proof(
    me: Payee, db: Db, keys: Secrets, settlement_id: SettlementId, redemption_id: RedemptionId
) -> ProofsOut:
    """Give each line of it with its way to the signed root; it needs none of the others."""
    whole = db.read(whole_settlement, parse_public_id(PREFIX, settlement_id), _place(me))
    redemption = parse_public_id("rdm", redemption_id)
    return shown_proofs(whole, redemption, keys.receipt.public_key())


@router.post(
    "/{settlement_id}/disputes",
    operation_id="disputeSettlement",
    summary="Contest a statement 提出争议",
    status_code=201,
    response_model=DisputeOut,
    responses=problems(
        **DENIED,
        s400="The Idempotency-Key is missing.",
        s404=UNKNOWN,
        s409="Its window is over, or an earlier dispute awaits its answer.",
        s422="It has no such line, or the request is not in its form, or its key was used before.",
    ),
)
def post_dispute(
    request: Request,
    body: DisputeIn,
    me: Payee,
    db: Db,
    settlement_id: SettlementId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Within seven days; the desk answers, and what it grants is a line of the next statement."""
    dispute, at, found = new_id(), now(), parse_public_id(PREFIX, settlement_id)

    def deed(session: Session) -> DisputeOut:
        if found is None:
            raise SettlementUnknown
        new = NewDispute(dispute, found, sorted(set(body.places)), body.reason, me.who.id)
        open_dispute(session, me.merchant, new, at=at)
        note_act(session, me.who.name, "settlements.dispute", settlement_id, at=at)
        told = disputes_of(session, find_settlement(session, found, _place(me)))
        return shown_dispute(next(each for each in told if each.id == dispute))

    return answer_once(request, db, me.who, idempotency_key, body, deed)


def _place(me: Member) -> tuple[int, int]:
    return me.who.bucket, me.who.owner


def _file(data: bytes, name: str, media_type: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(data, headers=headers, media_type=media_type)
