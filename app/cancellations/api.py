"""Voluntary cancellations over HTTP (自愿注销接口): asked for, looked at, reverted."""

import secrets
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.books import ClaimText
from app.cancellations.holders import CancellingHolder, Holder
from app.cancellations.queries import PREFIX, cancellations_of, find_cancellation
from app.cancellations.requesting import Wish, request_cancellation, revert_cancellation
from app.cancellations.schemas import (
    PURPOSES,
    VoluntaryCancellationIn,
    VoluntaryCancellationOut,
    VoluntaryCancellationPage,
    shown,
)
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from ledger.encoding import HASH_BYTES

LAST: Final = UUID(int=2**128 - 1)
UNKNOWN: Final = "You have no such cancellation."
Named = Annotated[str, Path(max_length=40, examples=["can_01k0000000000000000000000a"])]

router = APIRouter(prefix="/v1/cancellations", tags=["cancellations 自愿注销"])


@router.post(
    "",
    operation_id="requestCancellation",
    summary="Cancel reductions voluntarily 申请自愿注销",
    status_code=201,
    response_model=VoluntaryCancellationOut,
    responses=problems(
        s400="The Idempotency-Key is missing.",
        s409="Less is held, or too many requests or classes.",
        s422="The request is not in its form, or the key was used for another.",
    ),
)
def post_cancellation(
    request: Request,
    db: Db,
    holder: Holder,
    body: VoluntaryCancellationIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask for it; it is posted after ten minutes, and may be reverted until then."""
    id_, at, wish = new_id(), now(), _wish(holder, body)

    def deed(session: Session) -> VoluntaryCancellationOut:
        made = request_cancellation(
            session, holder.who, wish, cancellation=id_, new_id=new_id, new_salt=_salt, at=at
        )
        return shown(made)

    return answer_once(request, db, holder.who, idempotency_key, body, deed)


@router.get(
    "",
    operation_id="listOwnCancellations",
    summary="My cancellations 我的注销",
    responses=problems(s422="The cursor is not of the documented form."),
)
def list_cancellations(
    db: Db, holder: Holder, cursor: Cursor = None, limit: Limit = 50
) -> VoluntaryCancellationPage:
    """List my cancellations, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(cancellations_of, holder.who.owner, before=before, limit=limit + 1)
    return page_of(VoluntaryCancellationPage, found, limit, shown, lambda last: (last.row.id,))


@router.get(
    "/{cancellation_id}",
    operation_id="getOwnCancellation",
    summary="One of my cancellations 我的注销详情",
    responses=problems(s404=UNKNOWN),
)
def get_cancellation(cancellation_id: Named, db: Db, holder: Holder) -> VoluntaryCancellationOut:
    """Show one: how far it has come, and its certificate once it is final."""
    id_ = parse_public_id(PREFIX, cancellation_id)
    return shown(db.read(find_cancellation, holder.who.owner, id_))


@router.post(
    "/{cancellation_id}/reversion",
    operation_id="revertCancellation",
    summary="Revert a cancellation that waits 撤回注销",
    responses=problems(s404=UNKNOWN, s409="It was posted, or reverted before."),
)
def post_reversion(cancellation_id: Named, db: Db, holder: Holder) -> VoluntaryCancellationOut:
    """Revert it before it is posted; nothing was moved."""
    id_ = parse_public_id(PREFIX, cancellation_id)
    return shown(db.transact(revert_cancellation, holder.who.owner, id_, at=now()))


def _salt() -> bytes:
    return secrets.token_bytes(HASH_BYTES)


def _wish(holder: CancellingHolder, body: VoluntaryCancellationIn) -> Wish:
    said = {"beneficiary": body.beneficiary, "message": body.message}
    texts = [ClaimText("holder", _salt(), holder.name, is_public=False)]
    for name, text in said.items():
        words, is_public = (text.words, text.is_public) if text else ("", False)
        texts.append(ClaimText(name, _salt(), words, is_public))
    classes = {bytes.fromhex(each.class_id): each.co2e_mg for each in body.classes or ()}
    return Wish(body.co2e_mg, classes, PURPOSES[body.purpose], body.period, texts)
