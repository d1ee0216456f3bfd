"""Providers at the desk over HTTP (提供方管理接口): opened, suspended, given a key, let back in."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.providers import deeds
from app.providers.errors import ProviderNotSuspended
from app.providers.registry import (
    add_provider,
    find_provider,
    providers_after,
    suspend_provider,
)
from app.providers.schemas import (
    DeskKeyIn,
    ProviderIn,
    ProviderOut,
    ProviderPage,
    ProviderReasonIn,
    provider_out,
)
from app.staff import Approval, ApprovalOut, Asking, answer_asked, ask, note_act

WRITING: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such provider.",
    s409="It is so already, or the same awaits its second signature.",
    s422="The request is not of the documented form, or its key was used before.",
)
Manager = Annotated[Principal, desk(Scope.PROVIDERS_MANAGE)]
Code = Annotated[str, Path(max_length=40, examples=["sz-metro"])]
router = APIRouter(prefix="/v1/admin/providers", tags=["desk 办事台"])


@router.get(
    "",
    operation_id="listProviders",
    summary="Providers 数据提供方列表",
    responses=problems(**DENIED, s422="The cursor is not one of this list's."),
)
def list_providers(db: Db, who: Manager, cursor: Cursor = None, limit: Limit = 50) -> ProviderPage:
    """List the providers by code."""
    del who
    (after,) = ("",) if cursor is None else read_cursor(cursor, str)
    found = db.read(providers_after, after, limit=limit + 1)
    return page_of(ProviderPage, found, limit, provider_out, lambda last: (last.code,))


@router.post(
    "",
    operation_id="addProvider",
    summary="Open a provider 新增数据提供方",
    status_code=201,
    response_model=ProviderOut,
    responses=WRITING,
)
def open_provider(
    request: Request,
    body: ProviderIn,
    db: Db,
    who: Manager,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Open a provider; without a key it can send nothing yet."""
    at = now()

    def deed(session: Session) -> ProviderOut:
        made = add_provider(session, body.code, name_zh=body.name_zh, name_en=body.name_en, at=at)
        note_act(session, who.name, "providers.add", body.code, at=at)
        return provider_out(made)

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{code}/keys",
    operation_id="askForProviderKey",
    summary="Ask that a key of a provider be put in force 申请登记提供方密钥",
    status_code=201,
    response_model=ApprovalOut,
    responses=WRITING,
)
def ask_for_key(
    request: Request,
    body: DeskKeyIn,
    db: Db,
    who: Manager,
    code: Code,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask: for a first key, or where all were lost. A second person signs."""
    key = {"key_id": body.key_id, "public_key": body.public_key}
    asks = partial(_ask, code=code, act=deeds.ADD_KEY, facts=key)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/{code}/suspension",
    operation_id="suspendProvider",
    summary="Suspend a provider at once 立即暂停提供方",
    status_code=201,
    response_model=ProviderOut,
    responses=WRITING,
)
def suspend(
    request: Request,
    body: ProviderReasonIn,
    db: Db,
    who: Manager,
    code: Code,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Let a provider send nothing from now on; one person is enough, and the log says why."""
    at = now()

    def deed(session: Session) -> ProviderOut:
        if suspend_provider(session, find_provider(session, code), at=at):
            note_act(session, who.name, "providers.suspend", code, at=at, reason=body.reason)
        return provider_out(find_provider(session, code))

    return answer_once(request, db, who, idempotency_key, body, deed)


@router.post(
    "/{code}/resumption",
    operation_id="askForResumption",
    summary="Ask that a suspended provider may send again 申请恢复提供方",
    status_code=201,
    response_model=ApprovalOut,
    responses=WRITING,
)
def ask_for_resumption(
    request: Request,
    body: ProviderReasonIn,
    db: Db,
    who: Manager,
    code: Code,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature lets the provider send again."""
    asks = partial(_ask, code=code, act=deeds.RESUME, facts={})
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


def _ask(
    session: Session, asking: Asking, code: str, act: str, facts: Mapping[str, str]
) -> Approval:
    provider = find_provider(session, code)
    if act == deeds.RESUME and provider.suspended_at is None:
        raise ProviderNotSuspended
    payload = {"provider": provider.code, **facts}
    return ask(session, asking, act, provider.code, payload, scope=Scope.PROVIDERS_MANAGE)
