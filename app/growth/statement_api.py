"""Statements over HTTP (声明接口): their holder makes, lists and revokes; anybody checks."""

import secrets
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.growth.answers import Known, public
from app.growth.checking import CHECKED, check_statement, revoked_places
from app.growth.checking import shown_statement as read_statement
from app.growth.errors import StatementUnknown
from app.growth.statement_schemas import (
    CheckPage,
    IssuedOut,
    KeyOut,
    KeysOut,
    PresentedIn,
    StatementIn,
    StatementPage,
    VerdictOut,
    shown_check,
    shown_outcome,
    shown_statement,
)
from app.growth.statements import (
    STATUS_PATH,
    Seal,
    checks_before,
    issue_statement,
    revoke_statement,
    statements_before,
)
from app.growth.status_list import TTL, signed_list
from app.kernel.auth import Me
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.secrets import key_id
from app.kernel.wiring import Configuration, Db, Limited, Secrets

STATEMENT: Final = "stm"
JWK_SET: Final = "application/jwk-set+json"
LAST: Final = UUID(int=(1 << 128) - 1)
TTL_S: Final = int(TTL.total_seconds())
NOT_YOURS: Final = problems(s404="You have no such statement.")
StatementId = Annotated[str, Path(max_length=40)]
END: Final = (datetime(9999, 12, 31, tzinfo=UTC), "", "")

router = APIRouter(prefix="/v1/me", tags=["statements 声明"])
open_router = APIRouter(prefix="/v1/public", tags=["statements 声明"])


class JwkSet(JSONResponse):
    """Tells OpenAPI of the media type (RFC 7517)."""

    media_type = JWK_SET


@router.post(
    "/statements",
    operation_id="issueStatement",
    summary="State at least so much, to one reader 出具声明",
    status_code=201,
    response_model=IssuedOut,
    responses=problems(
        s400="The Idempotency-Key is missing.",
        s409="Your rows do not show as much, or you hold too many statements.",
        s422="A number is not a published one, or the Idempotency-Key was used for another.",
    ),
)
def post_statement(  # noqa: PLR0917 -- what FastAPI gives
    body: StatementIn,
    request: Request,
    db: Db,
    me: Me,
    settings: Configuration,
    keys: Secrets,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Issue a statement; the answer, kept for its replay, is the only place of its token."""
    salts = (secrets.token_urlsafe(16), secrets.token_urlsafe(16))
    seal = Seal(settings.origin, keys.receipt, salts)
    statement, at = new_id(), now()

    def deed(session: Session) -> IssuedOut:
        made, token = issue_statement(session, me, body.wish(), seal, statement=statement, at=at)
        return IssuedOut(**dict(shown_statement(made)), token=token)

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.get(
    "/statements",
    operation_id="listStatements",
    summary="My statements 我的声明",
    responses=problems(s422="The cursor is not one that this list gave."),
)
def list_statements(db: Db, me: Me, limit: Limit = 50, cursor: Cursor = None) -> StatementPage:
    """List one's statements, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(statements_before, me, before, limit + 1)
    return page_of(StatementPage, found, limit, shown_statement, lambda last: (last.id,))


@router.delete(
    "/statements/{statement_id}",
    operation_id="revokeStatement",
    summary="Revoke a statement 撤销声明",
    status_code=204,
    responses=NOT_YOURS,
)
def delete_statement(statement_id: StatementId, db: Db, me: Me) -> None:
    """Revoke a statement, for ever; status lists say so within five minutes."""
    db.transact(revoke_statement, me, _statement(statement_id), at=now())


@router.get(
    "/statements/{statement_id}/checks",
    operation_id="listStatementChecks",
    summary="Who checked my statement 查验记录",
    responses={**NOT_YOURS, **problems(s422="The cursor is not one that this list gave.")},
)
def list_checks(
    statement_id: StatementId, db: Db, me: Me, limit: Limit = 50, cursor: Cursor = None
) -> CheckPage:
    """List every check of a statement that was made here, the newest first."""
    before = read_cursor(cursor, datetime, str, str) if cursor else END
    found = db.read(checks_before, me, _statement(statement_id), before, limit + 1)
    return page_of(CheckPage, found, limit, shown_check, lambda last: last[:3])


@open_router.post(
    "/statements/verify",
    operation_id="verifyStatement",
    summary="Check a statement; its holder sees it 查验声明",
    responses=problems(
        s422="It is no statement of ours, or not as it was issued.",
        s429="It was checked too often in the past hour.",
    ),
)
def verify_statement(
    body: PresentedIn,
    db: Db,
    settings: Configuration,
    keys: Secrets,
    limits: Limited,
) -> VerdictOut:
    """Say how a statement stands for whoever asks, and note for its holder that they did."""
    at, key = now(), keys.receipt
    shown = read_statement(body.statement, key.public_key(), key_id(key), settings.origin)
    limits.take([(CHECKED, shown.limited_as)], at=at)
    return shown_outcome(shown, db.transact(check_statement, shown, body.verifier, at=at), at=at)


@open_router.get(
    "/statement-status/{number}",
    operation_id="getStatementStatus",
    summary="Status list of statements 声明状态清单",
    response_class=Response,
    responses=problems(s404="There is no such list yet."),
)
def get_status_list(
    number: Annotated[int, Path(ge=0, le=2**40)], db: Db, settings: Configuration, keys: Secrets
) -> Response:
    """Give a signed list with one bit a statement, 1 for revoked (Token Status List)."""
    revoked, key = db.read(revoked_places, number), keys.receipt
    uri = f"{Seal(settings.origin, key, ('', '')).status_host}{STATUS_PATH}{number}"
    signed = signed_list(uri, revoked, key, key_id(key), at=now())
    return public(signed.encode(), "application/statuslist+jwt", age_s=TTL_S, known=None)


@open_router.get(
    "/statement-keys",
    operation_id="getStatementKeys",
    summary="Keys that statements are signed with 声明公钥",
    response_class=JwkSet,
    response_model=KeysOut,
)
def get_statement_keys(keys: Secrets, known: Known = None) -> Response:
    """Give the public keys of statements and status lists, as a JWK set."""
    raw = keys.receipt.public_key().public_bytes_raw()
    written = urlsafe_b64encode(raw).decode().rstrip("=")
    made = KeysOut(keys=[KeyOut(kid=key_id(keys.receipt), x=written)])
    data = made.model_dump_json().encode()
    return public(data, JWK_SET, age_s=TTL_S, known=known)


def _statement(text: str) -> UUID:
    statement = parse_public_id(STATEMENT, text)
    if statement is None:
        raise StatementUnknown
    return statement
