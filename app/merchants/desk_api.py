"""Merchants at the desk over HTTP (商户管理接口): applications, terms, suspension, lost logins."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlmodel import Session

from app.kernel.auth import desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import PREFIXES, Principal
from app.kernel.wiring import Db, Secrets
from app.merchants import deeds
from app.merchants.applications import (
    applications,
    find_application,
    open_application,
    reach_of,
)
from app.merchants.errors import ApplicationUnknown, MerchantNotSuspended
from app.merchants.people import find_user, refuse_taken, users
from app.merchants.registry import PREFIX, find_merchant, merchants
from app.merchants.schemas import (
    ApplicationOut,
    ApplicationPage,
    MerchantOut,
    MerchantPage,
    ReachOut,
    TermsIn,
    UserPage,
    application_out,
    merchant_out,
    user_out,
)
from app.staff import Approval, ApprovalOut, Asking, answer_asked, ask, note_act
from app.staff.approvals import Payload
from app.staff.schemas import ReasonIn, ResetIn

router = APIRouter(prefix="/v1/admin", tags=["merchants 商户"])

Manager = Annotated[Principal, desk(Scope.MERCHANTS_MANAGE)]
MerchantId = Annotated[str, Path(max_length=40, examples=["mer_01k0000000000000000000000a"])]
UserId = Annotated[str, Path(max_length=40, examples=["mus_01k0000000000000000000000a"])]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "Your role may not do this.",
}
LISTED: Final = problems(**DENIED, s422="The cursor or a filter is not of the documented form.")
ASKED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such application, merchant or person.",
    s409="It is decided or so already, or the same awaits its second signature.",
    s422="The request is not of the documented form, or its key was used before.",
)


@router.get(
    "/merchant-applications",
    operation_id="listMerchantApplications",
    summary="Applications of merchants 商户入驻申请列表",
    responses=LISTED,
)
def list_applications(
    _who: Manager,
    db: Db,
    *,
    is_open: Annotated[bool | None, Query(alias="open", description="Undecided ones only.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ApplicationPage:
    """List applications, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(applications, is_open=is_open, before=before, limit=limit + 1)
    return page_of(ApplicationPage, found, limit, application_out, lambda last: (last.merchant.id,))


@router.get(
    "/merchant-applications/{merchant_id}",
    operation_id="getMerchantApplication",
    summary="An application of a merchant 查看商户入驻申请",
    responses=problems(**DENIED, s404="No such application."),
)
def get_application(_who: Manager, db: Db, merchant_id: MerchantId) -> ApplicationOut:
    """Give an application, a decided one too."""
    return application_out(db.read(find_application, parse_public_id(PREFIX, merchant_id)))


@router.get(
    "/merchant-applications/{merchant_id}/contact",
    operation_id="getMerchantContact",
    summary="Whom to reach at a merchant and where to pay 查看商户联系人与银行账户",
    responses=problems(**DENIED, s404="No such application, or it was refused."),
)
def get_contact(who: Manager, db: Db, keys: Secrets, merchant_id: MerchantId) -> ReachOut:
    """Open contact and bank account of an applicant or a merchant; every reading is logged."""
    merchant, at = parse_public_id(PREFIX, merchant_id), now()
    if merchant is None:
        raise ApplicationUnknown

    def command(session: Session) -> ReachOut:
        reach = reach_of(session, keys, merchant)
        note_act(session, who.name, "merchants.read_contact", merchant_id, at=at)
        return ReachOut.model_validate(reach)

    return db.transact(command)


@router.post(
    "/merchant-applications/{merchant_id}/approval",
    operation_id="askForMerchantApproval",
    summary="Ask that an application be approved 申请批准入驻",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_approval(
    request: Request,
    body: TermsIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature opens the merchant, and its first owner may enrol."""
    owner = public_id(PREFIXES["merchant"], new_id())

    def asks(session: Session, asking: Asking) -> Approval:
        found = open_application(session, parse_public_id(PREFIX, merchant_id))
        refuse_taken(session, found.owner.login)
        shown = {"registration": found.merchant.registration, "login": found.owner.login}
        payload = {"merchant": found.public, "owner": owner, **shown, **_terms(body)}
        return _ask(session, asking, deeds.APPROVE, found.public, payload)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/merchant-applications/{merchant_id}/refusal",
    operation_id="askForMerchantRefusal",
    summary="Ask that an application be refused 申请驳回入驻",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_refusal(
    request: Request,
    body: ReasonIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature refuses, and forgets whom to reach and where to pay."""

    def asks(session: Session, asking: Asking) -> Approval:
        found = open_application(session, parse_public_id(PREFIX, merchant_id)).public
        return _ask(session, asking, deeds.REFUSE, found, {"merchant": found})

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.get(
    "/merchants",
    operation_id="listMerchants",
    summary="Merchants 商户列表",
    responses=LISTED,
)
def list_merchants(_who: Manager, db: Db, limit: Limit = 50, cursor: Cursor = None) -> MerchantPage:
    """List every merchant, suspended ones too."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(merchants, after=after, limit=limit + 1)
    return page_of(MerchantPage, found, limit, merchant_out, lambda last: (last.id,))


@router.get(
    "/merchants/{merchant_id}",
    operation_id="getMerchant",
    summary="A merchant 查看商户",
    responses=problems(**DENIED, s404="No such merchant."),
)
def get_merchant(_who: Manager, db: Db, merchant_id: MerchantId) -> MerchantOut:
    """Give a merchant and what is agreed with it."""
    return merchant_out(db.read(find_merchant, parse_public_id(PREFIX, merchant_id)))


@router.get(
    "/merchants/{merchant_id}/users",
    operation_id="listUsersOfMerchant",
    summary="A merchant's people 查看商户人员",
    responses=problems(**DENIED, s404="No such merchant.", s422="The cursor is malformed."),
)
def list_users(
    _who: Manager, db: Db, merchant_id: MerchantId, limit: Limit = 50, cursor: Cursor = None
) -> UserPage:
    """List who works or worked for a merchant, to find whose login was lost."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    merchant = db.read(find_merchant, parse_public_id(PREFIX, merchant_id))
    found = db.read(users, merchant.id, after=after, limit=limit + 1)
    return page_of(UserPage, found, limit, user_out, lambda last: (last.id,))


@router.post(
    "/merchants/{merchant_id}/terms",
    operation_id="askForMerchantTerms",
    summary="Ask for another fee or offline cap 申请变更费率或离线上限",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_terms(
    request: Request,
    body: TermsIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature puts them in force from the next redemption and statement on."""

    def asks(session: Session, asking: Asking) -> Approval:
        found = find_merchant(session, parse_public_id(PREFIX, merchant_id)).public
        return _ask(session, asking, deeds.TERMS, found, {"merchant": found, **_terms(body)})

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/merchants/{merchant_id}/suspension",
    operation_id="suspendMerchant",
    summary="Suspend a merchant at once 立即暂停商户",
    status_code=201,
    response_model=MerchantOut,
    responses=ASKED,
)
def post_suspension(
    request: Request,
    body: ReasonIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Stop its logins, sessions, shifts and sales; one person is enough, and the log says why."""
    at, merchant = now(), parse_public_id(PREFIX, merchant_id)

    def deed(session: Session) -> MerchantOut:
        deeds.suspend(session, deeds.Reasoned(who, body.reason), merchant, at=at)
        return merchant_out(find_merchant(session, merchant))

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/merchants/{merchant_id}/resumption",
    operation_id="askForMerchantResumption",
    summary="Ask that a suspended merchant may work again 申请恢复商户",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_resumption(
    request: Request,
    body: ReasonIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; after the second signature its people log in anew."""

    def asks(session: Session, asking: Asking) -> Approval:
        found = find_merchant(session, parse_public_id(PREFIX, merchant_id))
        if found.suspended_at is None:
            raise MerchantNotSuspended
        return _ask(session, asking, deeds.RESUME, found.public, {"merchant": found.public})

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/merchants/{merchant_id}/users/{user_id}/reset",
    operation_id="askForMerchantUserReset",
    summary="Ask that one of a merchant's people may enrol anew 申请重新登记商户人员",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_reset(  # noqa: PLR0917 -- the request, its body, who, and whom of which merchant
    request: Request,
    body: ResetIn,
    who: Manager,
    db: Db,
    merchant_id: MerchantId,
    user_id: UserId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask, for an owner who lost phone or password and has no other owner beside them."""

    def asks(session: Session, asking: Asking) -> Approval:
        merchant = find_merchant(session, parse_public_id(PREFIX, merchant_id))
        user = find_user(session, merchant.id, parse_public_id(PREFIXES["merchant"], user_id))
        named = {"merchant": merchant.public, "user": user.public}
        return _ask(
            session, asking, deeds.RESET, user.public, {**named, "enrolment": body.enrolment_sha256}
        )

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


def _terms(body: TermsIn) -> Mapping[str, int]:
    return {"fee_permille": body.fee_permille, "offline_cap_points": body.offline_cap_points}


def _ask(session: Session, asking: Asking, act: str, object_: str, payload: Payload) -> Approval:
    return ask(session, asking, act, object_, payload, scope=Scope.MERCHANTS_MANAGE)
