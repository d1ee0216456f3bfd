"""The client's side of a signed request (签名示例): what a provider or a till runs, in forty lines.

``sign`` gives the headers to send; the examples of the documentation and the tests use it, so
that they cannot drift from what the server checks. Each try takes a fresh nonce and keeps its
Idempotency-Key: that is what makes a retry safe.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures.algorithms import (
    ED25519,  # pyright: ignore[reportPrivateImportUsage] -- public by the library's manual
)
from http_message_signatures.resolvers import HTTPSignatureKeyResolver
from http_message_signatures.signatures import HTTPMessageSigner

from app.kernel.signatures import AGE_MAX, COVERED, COVERED_WITHOUT_BODY, INGEST, READING

NDJSON: Final = "application/x-ndjson"
LABEL: Final = "tanpu"
NONCE_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class _Message:
    method: str
    url: str
    headers: dict[str, str]


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        del key_id
        return self._private_key

    def resolve_public_key(self, key_id: str) -> NoReturn:
        raise AssertionError(key_id)


def sign(  # noqa: PLR0913 -- a request is all of these
    private_key: Ed25519PrivateKey,
    keyid: str,
    method: str,
    url: str,
    *,
    at: datetime,
    body: bytes = b"",
    idempotency_key: str | None = None,
    content_type: str = NDJSON,
    tag: str = INGEST,
    nonce: str | None = None,
) -> dict[str, str]:
    """Sign one request; returns the headers that it must carry.

    ``url`` is absolute and as the server sees it. Of a GET only the method and the address are
    covered.
    """
    message = _Message(method, url, {})
    reads = method in READING
    if not reads:
        assert idempotency_key is not None, "a request that writes needs an Idempotency-Key"
        message.headers["content-type"] = content_type
        message.headers["idempotency-key"] = idempotency_key
    signer: Any = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(private_key))
    signer.sign(
        message,
        key_id=keyid,
        created=at,
        expires=at + timedelta(seconds=AGE_MAX.total_seconds()),
        nonce=nonce or secrets.token_urlsafe(NONCE_BYTES),
        label=LABEL,
        tag=tag,
        covered_component_ids=COVERED_WITHOUT_BODY if reads else COVERED,
        body=None if reads else body,
    )
    return message.headers
