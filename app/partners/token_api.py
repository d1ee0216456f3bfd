"""The token endpoint of machines (机器令牌接口): OAuth 2 client credentials by a signed assertion.

RFC 6749 §4.4 with ``private_key_jwt`` of RFC 7523. What is refused is a problem document that has
OAuth's ``error`` besides, so that either kind of client reads it.
"""

import json
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import Session

from app.kernel.auth import tokens_of
from app.kernel.clock import now
from app.kernel.http import problem, problems
from app.kernel.tokens import LIFETIME, Principal, Tokens
from app.kernel.wiring import Configuration, Db
from app.partners.assertions import Assertion, check_assertion, claimed_by
from app.partners.errors import (
    ClientInvalid,
    GrantUnsupported,
    ScopeExceeded,
    TokenRefused,
    TokenRequestInvalid,
)
from app.partners.registry import Partner, find_partner, key_in_force, use_assertion
from app.partners.schemas import MachineTokenOut, OAuthErrorOut
from app.staff import note_act

FORM: Final = "application/x-www-form-urlencoded"
GRANT: Final = "client_credentials"
BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FIELDS: Final = ("grant_type", "client_assertion_type", "client_assertion", "client_id", "scope")

router = APIRouter(tags=["partners 合作机构"])


class TokenRequest(NamedTuple):
    """What a machine asks for."""

    assertion: str
    scopes: frozenset[str]
    """None named is all that it has."""


async def raw_form(request: Request) -> bytes:
    """Give the body as it arrived."""
    return await request.body()


def read_form(content_type: str, body: bytes) -> TokenRequest:
    """Read a token request.

    Raises:
        TokenRequestInvalid, GrantUnsupported: See their own words.
    """
    if content_type.split(";", maxsplit=1)[0].strip().lower() != FORM:
        raise TokenRequestInvalid
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=20
        )
    except ValueError as error:
        raise TokenRequestInvalid from error
    told = {name: value for name, value in pairs if name in FIELDS}
    if len(told) != sum(name in FIELDS for name, _ in pairs) or "grant_type" not in told:
        raise TokenRequestInvalid
    if told["grant_type"] != GRANT or told.get("client_assertion_type", BEARER) != BEARER:
        raise GrantUnsupported
    if not told.get("client_assertion"):
        raise ClientInvalid
    return TokenRequest(told["client_assertion"], frozenset(told.get("scope", "").split()))


def _oauth_errors(**said: str) -> dict[int | str, dict[str, Any]]:
    """Document refusals as OAuth's clients read them."""
    model = OAuthErrorOut.model_json_schema(ref_template="#/components/schemas/{model}")
    model.pop("$defs", None)
    return {
        status: {**told, "content": {"application/json": {"schema": model}}}
        for status, told in problems(**said).items()
    }


@router.post(
    "/v1/oauth/token",
    operation_id="issueMachineToken",
    summary="Give a partner's machine an access token 机器令牌",
    response_model=MachineTokenOut,
    responses=_oauth_errors(
        s400="`invalid_request`, `unsupported_grant_type` or `invalid_scope`.",
        s401="`invalid_client`: the assertion is not believed, was used, or is of nobody here.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                FORM: {
                    "schema": {
                        "type": "object",
                        "required": list(FIELDS[:3]),
                        "properties": {
                            "grant_type": {"const": GRANT},
                            "client_assertion_type": {"const": BEARER},
                            "client_assertion": {
                                "type": "string",
                                "maxLength": 4096,
                                "description": (
                                    "JWT by a registered key (`kid`), EdDSA or ES256; `iss` and"
                                    " `sub` the partner's id, `aud` the ORIGIN of this ledger,"
                                    " `exp` within five minutes, `jti` used once."
                                ),
                            },
                            "scope": {"type": "string", "maxLength": 200},
                        },
                    }
                }
            },
        }
    },
)
def issue_machine_token(
    request: Request,
    db: Db,
    settings: Configuration,
    signer: Annotated[Tokens, Depends(tokens_of)],
    body: Annotated[bytes, Depends(raw_form)],
) -> Response:
    """Give a token of ten minutes with the scopes asked for, or all that the partner has."""
    try:
        asked = read_form(request.headers.get("content-type", ""), body)
        who = _machine(db, asked, settings.origin)
    except TokenRefused as refusal:
        return _oauth_error(request, refusal)
    made = MachineTokenOut(
        access_token=signer.issue(who, at=now()),
        expires_in=int(LIFETIME.total_seconds()),
        scope=" ".join(sorted(who.scopes)),
    )
    return Response(
        made.model_dump_json(), headers={"pragma": "no-cache"}, media_type="application/json"
    )


def _machine(db: Db, asked: TokenRequest, audience: str) -> Principal:
    """Give whose machine asks, once its assertion is used up."""
    at, claimed = now(), claimed_by(asked.assertion)
    key = db.read(key_in_force, claimed.partner, claimed.kid, at=at)
    if key is None:
        raise ClientInvalid
    named = Principal("partner", claimed.partner, frozenset())
    assertion = check_assertion(asked.assertion, named.name, key, audience, at=at)

    def command(session: Session) -> Partner:
        return _log_in(session, named, assertion)

    held = db.transact(command).scopes
    scopes = frozenset(scope for scope in held if not asked.scopes or scope in asked.scopes)
    if len(scopes) < len(asked.scopes):
        raise ScopeExceeded
    return Principal("partner", claimed.partner, scopes)


def _log_in(session: Session, named: Principal, assertion: Assertion) -> Partner:
    if not use_assertion(session, named.id, assertion.jti, ends_at=assertion.ends_at):
        raise ClientInvalid
    partner = find_partner(session, named.id)
    if partner.suspended_at is not None:
        raise ClientInvalid
    note_act(session, named.name, "partners.log_in", named.name, at=now())
    return partner


def _oauth_error(request: Request, refusal: TokenRefused) -> Response:
    told = problem(request, refusal)
    document = {"error": refusal.error, **json.loads(bytes(told.body))}
    body = json.dumps(document, ensure_ascii=False)
    return Response(body, refusal.status, media_type="application/json")
