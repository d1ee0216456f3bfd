"""SD-JWT (选择性披露凭证, RFC 9901): a signed token whose claims are shown one by one.

The issuer signs digests of disclosures; whoever holds the token shows those that they choose, and
a verifier puts them back. Claims are flat, which is all that a statement needs: disclosures in
arrays or in one another are refused. There is no key binding: a statement names one audience.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM: Final = "EdDSA"
TYPE: Final = "dc+sd-jwt"
HASH: Final = "sha-256"
LONGEST: Final = 8192
DISCLOSURES_MAX: Final = 16
RESERVED: Final = frozenset({"_sd", "...", "_sd_alg"})
_PARTS: Final = 3
Claims = dict[str, Any]


class SdJwtInvalid(ValueError):  # noqa: N818 -- names a state, as refusals do
    """The text is no SD-JWT, or its signature or a disclosure does not hold."""


def issue(
    claims: Mapping[str, object],
    hidden: Sequence[tuple[str, str, object]],
    key: Ed25519PrivateKey,
    kid: str,
) -> str:
    """Sign ``claims``, and each (salt, name, value) of ``hidden`` as a disclosure of its own."""
    disclosures = [_encoded(json.dumps(list(each)).encode()) for each in hidden]
    payload = {**claims, "_sd": sorted(map(digest_of, disclosures)), "_sd_alg": HASH}
    signed = jwt.encode(payload, key, ALGORITHM, {"kid": kid, "typ": TYPE})
    return "~".join([signed, *disclosures, ""])


def read(text: str, key: Ed25519PublicKey, kid: str) -> Claims:
    """Give the claims that a token shows, once its signature and disclosures hold.

    Dates, audience and status are the caller's to look at.

    Raises:
        SdJwtInvalid: See its own words.
    """
    signed, *disclosures = text.split("~")
    if not text.isascii() or len(text) > LONGEST or len(disclosures) > DISCLOSURES_MAX:
        raise SdJwtInvalid
    if not disclosures or disclosures.pop():
        raise SdJwtInvalid
    try:
        header = jwt.get_unverified_header(signed)
        if header.get("typ") != TYPE or header.get("kid") != kid:
            raise SdJwtInvalid
        unread = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
        payload = jwt.decode(signed, key, [ALGORITHM], options=unread)  # type: ignore[arg-type]
    except jwt.InvalidTokenError as error:
        raise SdJwtInvalid from error
    return disclosed(payload, disclosures)


def disclosed(payload: Mapping[str, Any], disclosures: Sequence[str]) -> Claims:
    """Put disclosures in the place of their digests (RFC 9901, section 7.1).

    Raises:
        SdJwtInvalid: One is malformed, repeated, not of this payload, or names a claim again.
    """
    claims = {name: value for name, value in payload.items() if name not in RESERVED}
    open_ = set(cast("list[str]", payload.get("_sd", [])))
    if payload.get("_sd_alg", HASH) != HASH:
        raise SdJwtInvalid
    for each in disclosures:
        digest = digest_of(each)
        name, value = _member(each)
        if digest not in open_ or name in claims or name in RESERVED:
            raise SdJwtInvalid
        open_.remove(digest)
        claims[name] = value
    return claims


def digest_of(disclosure: str) -> str:
    """Hash a disclosure as it is written, not what it says.

    >>> digest_of("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0")
    'X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0'
    """
    return _encoded(sha256(disclosure.encode()).digest())


def _member(disclosure: str) -> tuple[str, object]:
    """Read a disclosure as the name and value of a claim."""
    try:
        parts: object = json.loads(urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)))
    except (NotBase64, ValueError, RecursionError) as error:
        raise SdJwtInvalid from error
    found = cast("list[object]", parts) if isinstance(parts, list) else []
    if len(found) != _PARTS or not isinstance(found[1], str):
        raise SdJwtInvalid
    return found[1], found[2]


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
