"""Signed requests (签名请求): RFC 9421 over Ed25519, checked on the raw bytes before parsing.

Whoever signs holds the only key, so the operator cannot make a metro company's evidence, nor a
shop's redemption. A tag says what a signature is for: a till's opens nothing of a provider's. The
library checks the signature; freshness, coverage and the body's digest are ours, and each has a
refusal of its own. The single use of a nonce is for whoever asks for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures.algorithms import (
    ED25519,  # pyright: ignore[reportPrivateImportUsage] -- public by the library's manual
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver
from http_message_signatures.signatures import HTTPMessageVerifier
from http_message_signatures.structures import VerifyResult
from starlette.requests import Request as Served

from app.kernel.problems import Refusal
from app.kernel.settings import SANDBOX_ORIGIN, Settings

COVERED: Final = ("@method", "@target-uri", "content-digest", "content-type", "idempotency-key")
"""What a signature over a request with a body must cover."""
COVERED_WITHOUT_BODY: Final = ("@method", "@target-uri")
READING: Final = frozenset({"GET", "HEAD"})
INGEST: Final = "ingest"
TILL: Final = "till"
"""Tags: what a signature is for."""
AGE_MAX: Final = timedelta(seconds=300)
SKEW_MAX: Final = timedelta(seconds=30)
"""How far ahead of ours a signer's clock may be; a nonce is kept well past both."""
NONCE_MIN: Final = 16
NONCE_MAX: Final = 200


class SigningKey(Protocol):
    """An Ed25519 key, and whatever else its finder knows of it."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of its public half."""
        ...


K = TypeVar("K", bound=SigningKey)
FindKey = Callable[[str], K | None]
"""Gives the key in force of an id."""


class SignatureMissing(Refusal):
    """The request carries no signature with the tag that this endpoint expects."""

    code = "signature.missing"
    status = 401
    title_zh = "请求没有签名"


class SignatureInvalid(Refusal):
    """The signature does not verify over what it must cover."""

    code = "signature.invalid"
    status = 401
    title_zh = "签名无效"


class SignatureStale(Refusal):
    """The signature is too old, has expired, or was made in the future."""

    code = "signature.stale"
    status = 401
    title_zh = "签名已过期或时间不符"


class SignatureKeyUnknown(Refusal):
    """No key with this id is in force."""

    code = "signature.key_unknown"
    status = 401
    title_zh = "密钥不存在或已失效"


class DigestMismatch(Refusal):
    """The body is not the one that was signed."""

    code = "signature.digest_mismatch"
    status = 400
    title_zh = "正文与摘要不一致"


@dataclass(frozen=True, slots=True)
class Request:
    """What a signature is checked against; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Signed(Generic[K]):
    """A request whose signature holds: by which key, and under which nonce."""

    key: K
    nonce: str


class _Resolver(HTTPSignatureKeyResolver, Generic[K]):
    """Remembers the key that was found, or why none was: the library tells only that it failed."""

    def __init__(self, find_key: FindKey[K]) -> None:
        self._find_key = find_key
        self.found: list[K] = []
        self.failure: Exception | None = None

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        try:
            key = self._find_key(key_id)
        except Exception as error:  # the library would call it a bad signature
            self.failure = error
            raise
        if key is None:
            self.failure = SignatureKeyUnknown()
            raise self.failure
        self.found.append(key)
        return Ed25519PublicKey.from_public_bytes(key.public_key)

    def resolve_private_key(self, key_id: str) -> NoReturn:
        raise AssertionError(key_id)


class _Verifier(HTTPMessageVerifier):
    """Judges age by the instant it is given, not by a clock of its own."""

    def __init__(self, resolver: _Resolver[Any], at: datetime) -> None:
        super().__init__(signature_algorithm=ED25519, key_resolver=resolver)
        self._at = at

    def validate_created_and_expires(
        self,
        sig_input: Any,  # noqa: ANN401 -- the library's own, untyped
        max_age: timedelta | None = None,
    ) -> None:
        """Refuse a signature that is not of the last minutes, or that names no end.

        Raises:
            SignatureStale: As said.
        """
        del max_age
        stated: dict[str, object] = sig_input.params
        created, expires = stated.get("created"), stated.get("expires")
        if not isinstance(created, int) or not isinstance(expires, int):
            raise SignatureStale(reason="created and expires are required")
        check_age(created, expires, self._at)


def check_age(created: int, expires: int, at: datetime) -> None:
    """Pass a signature of the last minutes; times in seconds since 1970.

    Raises:
        SignatureStale: It is older, has expired, or was made in the future.
    """
    now = int(at.timestamp())
    if created > now + int(SKEW_MAX.total_seconds()):
        raise SignatureStale(reason="created in the future")
    if created + int(AGE_MAX.total_seconds()) < now or expires < now:
        raise SignatureStale(reason="too old")


def read_signed(request: Served, settings: Settings, body: bytes) -> Request:
    """Give a request as it was signed.

    The signature covers the address, which a Host header names: what somebody signed for a
    sandbox, with the same key, is nothing that this ledger was told.

    Raises:
        SignatureInvalid: It was signed for a sandbox, and this is none.
    """
    if not settings.sandbox and (request.url.hostname or "").startswith(SANDBOX_ORIGIN):
        raise SignatureInvalid(reason="signed for a sandbox")
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Request(request.method, str(request.url), headers, body)


def verify_request(request: Request, find_key: FindKey[K], *, tag: str, at: datetime) -> Signed[K]:
    """Check a signed request whole: headers first, then the body against its digest.

    Raises:
        SignatureMissing: No signature with this tag.
        SignatureStale: Older than five minutes, expired, or from the future.
        SignatureKeyUnknown: The key is not in force.
        SignatureInvalid: It does not verify, or covers too little, or lacks a nonce.
        DigestMismatch: The body is another.
    """
    if not {"signature", "signature-input"} <= request.headers.keys():
        raise SignatureMissing
    resolver = _Resolver(find_key)
    verifier: Any = _Verifier(resolver, at)  # its methods leave the message untyped
    needed = COVERED_WITHOUT_BODY if request.method in READING else COVERED
    try:
        results: list[VerifyResult] = verifier.verify(
            request, expect_tag=tag, require_components=needed
        )
    except HTTPMessageSignaturesException as error:
        if resolver.failure is not None:
            raise resolver.failure from None
        raise SignatureInvalid(reason=_brief(error)) from error
    if len(results) != 1 or len(resolver.found) != 1:
        raise SignatureInvalid(reason="one signature is expected")
    try:
        verifier.verify_body(request, results, request.body)
    except HTTPMessageSignaturesException as error:
        raise DigestMismatch from error
    return Signed(resolver.found[0], _nonce(results[0]))


def _nonce(result: VerifyResult) -> str:
    nonce = result.nonce
    if nonce is None or not (NONCE_MIN <= len(nonce) <= NONCE_MAX and nonce.isascii()):
        raise SignatureInvalid(reason=f"a nonce has {NONCE_MIN} to {NONCE_MAX} characters")
    return nonce


def _brief(error: Exception) -> str:
    text = str(error)
    return text if text.isprintable() and len(text) <= NONCE_MAX else type(error).__name__
