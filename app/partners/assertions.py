"""Client assertions (客户端断言, RFC 7523): what a partner's machine signs to be given a token.

``aud`` is this ledger's name, its ``ORIGIN``, and not an address: whoever was sent an assertion
for an address of their own could else show it here (draft-ietf-oauth-rfc7523bis). An assertion
lives five minutes at most and is used once.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.kernel.ids import parse_public_id
from app.kernel.tokens import LEEWAY, LONGEST, PREFIXES
from app.partners.errors import ClientInvalid
from app.partners.registry import PartnerKey

LIFETIME_MAX: Final = timedelta(minutes=5)
REQUIRED: Final = ("iss", "sub", "aud", "exp", "jti")
WORD: Final = re.compile(r"[\x21-\x7e]{1,100}")
"""The form of ``jti`` and ``kid``."""


class Claimed(NamedTuple):
    """Who an assertion says it is of, before anything of it is believed."""

    partner: UUID
    kid: str


class Assertion(NamedTuple):
    """What is believed of one."""

    jti: str
    ends_at: datetime
    """Until when it has to be remembered."""


def claimed_by(text: str) -> Claimed:
    """Read whose key has to be looked up.

    Raises:
        ClientInvalid: It is no assertion at all.
    """
    if len(text) > LONGEST:
        raise ClientInvalid
    try:
        header = jwt.get_unverified_header(text)
        claims = jwt.decode(text, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise ClientInvalid from error
    kid, subject = header.get("kid"), claims.get("sub")
    partner = parse_public_id(PREFIXES["partner"], subject) if isinstance(subject, str) else None
    if partner is None or not isinstance(kid, str) or not WORD.fullmatch(kid):
        raise ClientInvalid
    return Claimed(partner, kid)


def check_assertion(
    text: str, client: str, key: PartnerKey, audience: str, *, at: datetime
) -> Assertion:
    """Check an assertion of ``client`` by its key.

    Raises:
        ClientInvalid: Signed by another, for another, ended, longer than allowed, or unnamed.
    """
    try:
        claims = jwt.decode(
            text,
            _loaded(key),
            [key.algorithm],
            audience=audience,
            issuer=client,
            leeway=LEEWAY,
            options={"require": list(REQUIRED)},
        )
    except jwt.InvalidTokenError as error:
        raise ClientInvalid from error
    jti, ends_at = claims["jti"], _instant(claims["exp"])
    if claims["sub"] != client or not WORD.fullmatch(jti) or ends_at > at + LIFETIME_MAX + LEEWAY:
        raise ClientInvalid
    return Assertion(jti, ends_at + LEEWAY)


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int):
        raise ClientInvalid
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise ClientInvalid from error


def _loaded(key: PartnerKey) -> Ed25519PublicKey | EllipticCurvePublicKey:
    loaded = load_der_public_key(key.public_key)
    assert isinstance(loaded, Ed25519PublicKey | EllipticCurvePublicKey), key.kid
    return loaded
