"""Retirements over HTTP (注销使用接口): asked for, looked at, reverted; and what all may see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from secrets import token_bytes
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.books import ClaimText, texts_of
from app.kernel.auth import DENIED
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.wiring import Db
from app.organisations import OrganisationMember, find_organisation, member
from app.registry.batches import PREFIX as BATCH
from app.registry.retirement_schemas import (
    PublicRetirementOut,
    PublicRetirementPage,
    RetirementIn,
    RetirementOut,
    RetirementPage,
    shown_own,
    shown_public,
)
from app.registry.retirements import (
    PREFIX,
    Registration,
    Retirement,
    find_retirement,
    registrations_of,
    retirements_of,
    taken_retirements,
)
from app.registry.retiring import RetirementWish, request_retirement, revert_retirement
from app.staff import note_act
from ledger.encoding import HASH_BYTES

router = APIRouter(prefix="/v1/retirements", tags=["registry 登记簿"])
public = APIRouter(prefix="/v1/public", tags=["public 公开"])

Retirer = Annotated[OrganisationMember, member(Scope.UNITS_RETIRE)]
Reader = Annotated[OrganisationMember, member(Scope.HOLDINGS_READ)]
RetirementId = Annotated[str, Path(max_length=40, examples=["ret_01k0000000000000000000000a"])]
NO_KEY: Final = "The Idempotency-Key is missing."
UNKNOWN: Final = "Your organisation has no such retirement."
CURSOR: Final = "The cursor is not one of this list."
new_salt: Final = partial(token_bytes, HASH_BYTES)


@router.post(
    "",
    operation_id="requestRetirement",
    summary="Retire units 申请注销使用",
    status_code=201,
    response_model=RetirementOut,
    responses=problems(
        **DENIED,
        s400=NO_KEY,
        s404="There is no such batch.",
        s409="Fewer units are free, or they may not serve this purpose.",
        s422="The request is not in its form, or the key was used for another.",
    ),
)
def post_retirement(
    request: Request,
    body: RetirementIn,
    me: Retirer,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask for it: the units are held; ten minutes later they get their serials, for ever."""
    id_, at = new_id(), now()

    def deed(session: Session) -> RetirementOut:
        wish = _wish(session, me, body, id_)
        done = request_retirement(session, wish, new_id=new_id, new_salt=new_salt, at=at)
        note_act(session, me.who.name, "retirements.ask", done.public, at=at, kg=body.quantity_kg)
        return _own(session, done)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.get(
    "",
    operation_id="listRetirements",
    summary="Your organisation's retirements 本机构注销",
    responses=problems(**DENIED, s422=CURSOR),
)
def list_retirements(
    me: Reader, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> RetirementPage:
    """List them, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)

    def query(session: Session) -> Sequence[tuple[Retirement, RetirementOut]]:
        found = retirements_of(session, me.who.owner, before=before, limit=limit + 1)
        places = registrations_of(driver(session), [each.id for each in found])
        return [(each, _own(session, each, places)) for each in found]

    return page_of(RetirementPage, db.read(query), limit, itemgetter(1), lambda last: (last[0].id,))


@router.get(
    "/{retirement_id}",
    operation_id="getRetirement",
    summary="One retirement 注销详情",
    responses=problems(**DENIED, s404=UNKNOWN),
)
def get_retirement(retirement_id: RetirementId, me: Reader, db: Db) -> RetirementOut:
    """Show how far it has come: its serials, and where the chain has it."""
    id_ = parse_public_id(PREFIX, retirement_id)
    return db.read(lambda session: _own(session, find_retirement(session, me.who.owner, id_)))


@router.post(
    "/{retirement_id}/revert",
    operation_id="revertRetirement",
    summary="Revert a retirement that waits 撤回注销使用",
    response_model=RetirementOut,
    responses=problems(
        **DENIED,
        s400=NO_KEY,
        s404=UNKNOWN,
        s409="It has its serials, or was reverted before.",
        s422="The key was used for another request.",
    ),
)
def post_reversion(
    request: Request,
    retirement_id: RetirementId,
    me: Retirer,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Revert it before it has serials; its units are free again."""
    id_, at = parse_public_id(PREFIX, retirement_id), now()

    def deed(session: Session) -> RetirementOut:
        done = revert_retirement(session, me.who.owner, id_, new_id=new_id, at=at)
        note_act(session, me.who.name, "retirements.revert", done.public, at=at)
        return _own(session, done)

    return answer_once(request, db, me.who, idempotency_key, None, deed, status=200)


@public.get(
    "/retirements",
    operation_id="listPublicRetirements",
    summary="What was retired 注销公示",
    responses=problems(s422=CURSOR),
)
def list_public(db: Db, limit: Limit = 50, cursor: Cursor = None) -> PublicRetirementPage:
    """List retirements that have their serials, the newest first; nobody is named."""
    before = read_cursor(cursor, datetime, UUID) if cursor else None

    def query(session: Session) -> Sequence[tuple[Retirement, PublicRetirementOut]]:
        found = taken_retirements(session, before=before, limit=limit + 1)
        places = registrations_of(driver(session), [each.id for each in found])
        return [(each, shown_public(each, places)) for each in found]

    return page_of(PublicRetirementPage, db.read(query), limit, itemgetter(1), _taken_place)


def _wish(
    session: Session, me: OrganisationMember, body: RetirementIn, retirement: UUID
) -> RetirementWish:
    name = find_organisation(session, me.organisation).name_zh
    words = {"holder": name, "beneficiary": body.beneficiary or name, "message": body.message or ""}
    return RetirementWish(
        retirement=retirement,
        holder=me.who.owner,
        batch=parse_public_id(BATCH, body.batch),
        quantity_kg=body.quantity_kg,
        purpose=body.purpose,
        period=body.period,
        texts=[
            ClaimText(each, new_salt(), text, each in body.shows) for each, text in words.items()
        ],
    )


def _own(
    session: Session, found: Retirement, places: Mapping[UUID, Registration] | None = None
) -> RetirementOut:
    connection = driver(session)
    if places is None:
        places = registrations_of(connection, [found.id])
    return shown_own(found, texts_of(connection, found.holder, found.id), places)


def _taken_place(last: tuple[Retirement, PublicRetirementOut]) -> tuple[datetime, UUID]:
    assert last[0].taken_at is not None, last
    return last[0].taken_at, last[0].id
