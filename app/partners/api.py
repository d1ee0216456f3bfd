"""Partners at the desk (合作机构管理接口): two admit them, the regulator alone suspends them."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.partners import deeds
from app.partners.public_keys import KID, Ed25519In, P256In, der_of
from app.partners.registry import (
    Partner,
    find_partner,
    keys_of,
    partners,
    revoke_key,
    suspend_partner,
)
from app.partners.schemas import PartnerIn, PartnerKeyIn, PartnerOut, PartnerPage, partner_out
from app.staff import Approval, ApprovalOut, Asking, answer_asked, ask, note_act

router = APIRouter(prefix="/v1/admin/partners", tags=["partners 合作机构"])

Manager = Annotated[Principal, desk(Scope.STAFF_MANAGE)]
Overseer = Annotated[Principal, desk(Scope.OVERSIGHT_MANAGE)]
"""Whose partners these are: the operator does not cut an auditor's machine off by itself."""
PartnerId = Annotated[str, Path(max_length=40, examples=["par_01k0000000000000000000000a"])]
Kid = Annotated[str, Path(pattern=KID)]
ASKED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such partner.",
    s409="The same already awaits its second signature.",
    s422="No public key of a known curve, or the Idempotency-Key was used for another request.",
)


@router.get(
    "",
    operation_id="listPartners",
    summary="List partners and their keys 合作机构列表",
    responses=problems(**DENIED, s422="The cursor is not of the documented form."),
)
def list_partners(_who: Manager, db: Db, limit: Limit = 50, cursor: Cursor = None) -> PartnerPage:
    """List every partner, suspended ones too."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(partners, after=after, limit=limit + 1)
    return page_of(
        PartnerPage, found, limit, lambda each: partner_out(*each), lambda last: (last[0].id,)
    )


@router.post(
    "",
    operation_id="askForPartner",
    summary="Ask for the admission of a partner 申请接入合作机构",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_partner(
    request: Request, body: PartnerIn, who: Manager, db: Db, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask; the regulator's signature opens the partner with this key."""
    partner = Partner(new_id(), body.name, frozenset(body.scopes), now())
    facts = {"name": body.name, "scopes": sorted(body.scopes), **_written(body.key)}

    def asks(session: Session, asking: Asking) -> Approval:
        return _ask(session, asking, deeds.ADMIT, partner, facts)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/{partner_id}/keys",
    operation_id="askForPartnerKey",
    summary="Ask for a partner's next key 申请轮换公钥",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_partner_key(
    request: Request,
    body: PartnerKeyIn,
    who: Manager,
    db: Db,
    partner_id: PartnerId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the regulator's signature puts the key in force, and the others end soon after."""
    partner = parse_public_id("par", partner_id)
    facts = {"overlap_hours": body.overlap_hours, **_written(body.key)}

    def asks(session: Session, asking: Asking) -> Approval:
        return _ask(session, asking, deeds.ROTATE, find_partner(session, partner), facts)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/{partner_id}/suspension",
    operation_id="suspendPartner",
    summary="Suspend a partner at once 停用合作机构",
    responses=problems(**DENIED, s404="No such partner."),
)
def post_suspension(who: Overseer, db: Db, partner_id: PartnerId) -> PartnerOut:
    """Give its machines no token any more; one person may, since it only takes away."""
    at, partner = now(), parse_public_id("par", partner_id)

    def command(session: Session) -> PartnerOut:
        found = find_partner(session, partner)
        suspend_partner(session, found.id, at=at)
        note_act(session, who.name, "partners.suspend", found.public, at=at)
        return partner_out(find_partner(session, partner), keys_of(session, found.id))

    return db.transact(command)


@router.delete(
    "/{partner_id}/keys/{kid}",
    operation_id="revokePartnerKey",
    summary="Revoke a partner's key at once 吊销公钥",
    responses=problems(**DENIED, s404="No such partner, or no such key in force."),
)
def delete_key(who: Overseer, db: Db, partner_id: PartnerId, kid: Kid) -> PartnerOut:
    """End a key that may be in other hands; one person may, since it only takes away."""
    at, partner = now(), parse_public_id("par", partner_id)

    def command(session: Session) -> PartnerOut:
        found = find_partner(session, partner)
        revoke_key(session, found.id, kid, at=at)
        note_act(session, who.name, "partners.revoke", found.public, at=at, kid=kid)
        return partner_out(found, keys_of(session, found.id))

    return db.transact(command)


def _ask(
    session: Session, asking: Asking, act: str, partner: Partner, facts: Mapping[str, object]
) -> Approval:
    payload = {"partner": partner.public, **facts}
    return ask(session, asking, act, partner.public, payload, scope=Scope.OVERSIGHT_MANAGE)


def _written(key: Ed25519In | P256In) -> dict[str, str]:
    return {"kid": key.kid, "algorithm": key.alg, "public_key": der_of(key).hex()}
