"""Who sends (发送方): the signed request as an endpoint asks for it, and one answer a key.

Who is asking is what the key of the signature says (RFC 9421), never what the body says. The
signature is checked over the raw bytes, before any of them is parsed.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.once import Answer, attempt, readable_key, rendered, request_digest
from app.kernel.signatures import INGEST, Signed, read_signed, verify_request
from app.kernel.wiring import Configuration, Db
from app.providers.errors import ProviderSuspended
from app.providers.once import first_answer, keep_answer, take_nonce
from app.providers.registry import Provider, ProviderKey, find_key

DENIED: Final = {
    "s401": "The signature is missing, wrong, stale or replayed, or its key is not in force.",
    "s403": "The provider is suspended.",
}
"""How whoever sends may be refused, for an endpoint's ``problems``."""


class ProviderSignature(SecurityBase):
    """Names the signature in OpenAPI, beside the endpoints that ask for one."""

    def __init__(self) -> None:
        """Describe it; ``signed_request`` is what checks it."""
        self.scheme_name = "providerSignature"
        self.model = APIKey.model_validate(
            {
                "in": APIKeyIn.header,
                "name": "Signature",
                "description": "RFC 9421 with Ed25519, tag `ingest`; see docs/api.md. 请求签名",
            }
        )

    def __call__(self) -> None:
        """Give nothing: the whole request is what is signed."""


async def raw_body(request: Request) -> bytes:
    """Give the body as it arrived, before anybody parses it."""
    return await request.body()


Body = Annotated[bytes, Depends(raw_body)]


def signed_request(
    request: Request,
    _scheme: Annotated[None, Depends(ProviderSignature())],
    db: Db,
    settings: Configuration,
    body: Body,
) -> Signed[ProviderKey]:
    """Check the signature of a request and that its provider may send.

    Raises:
        SignatureMissing, SignatureInvalid, SignatureStale, SignatureKeyUnknown, DigestMismatch,
        ProviderSuspended: See their own words.
    """
    at, message = now(), read_signed(request, settings, body)
    signed = verify_request(message, lambda key: db.read(find_key, key, at), tag=INGEST, at=at)
    if signed.key.provider.suspended_at is not None:
        raise ProviderSuspended
    return signed


Sender = Annotated[Signed[ProviderKey], Depends(signed_request)]
"""Of a request that writes: whoever takes it uses up its nonce in the same transaction."""


def reading(signed: Sender, db: Db) -> Provider:
    """Give who reads, and use up the nonce.

    Raises:
        NonceReplayed: It was used within its time.
    """
    provider = signed.key.provider
    db.transact(take_nonce, provider.id, signed.nonce, at=now())
    return provider


Reader = Annotated[Provider, Depends(reading)]
"""Of a request that reads."""


def answer_signed(  # noqa: PLR0917 -- the request, its key, who, what, and how it is said
    request: Request,
    db: Database,
    signed: Signed[ProviderKey],
    key: str | None,
    body: bytes,
    deed: Callable[[Session], BaseModel],
    status: int = HTTPStatus.CREATED,
) -> Response:
    """Run ``deed`` in a transaction, at most once for this key, and answer with what it made.

    Nonce, deed and answer are one transaction: whatever is lost of it, the provider's retry finds
    either nothing or the whole.

    Raises:
        IdempotencyKeyMissing, IdempotencyKeyReused, NonceReplayed: See their own words.
    """
    known, provider, at = readable_key(key), signed.key.provider.id, now()
    digest = request_digest(request, body)

    def command(session: Session) -> tuple[Answer, bool]:
        take_nonce(session, provider, signed.nonce, at=at)
        first = first_answer(session, provider, known, digest, work=new_id(), at=at)
        if isinstance(first, Answer):
            return first, True
        answer = attempt(request, session, deed, status)
        keep_answer(session, provider, known, answer)
        return answer, False

    return rendered(*db.transact(command))
