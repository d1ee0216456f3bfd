"""Access tokens (访问令牌): ten minutes, EdDSA, ``at+jwt`` (RFC 9068), signed by the newest key.

A token says who and with which scopes, so that a request needs no look-up. It cannot be taken
back before it ends; the refresh family behind it can. Every claim below is required, and the
header's ``typ`` and ``kid`` are checked before any of them is believed.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.clock import now
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.problems import Refusal
from app.kernel.scopes import Scope
from ledger.accounts import bucket_of

LIFETIME: Final = timedelta(minutes=10)
AUDIENCE: Final = "tanpu-api"
TYPE: Final = "at+jwt"
ALGORITHM: Final = "EdDSA"
REQUIRED: Final = ("iss", "aud", "sub", "iat", "exp", "jti", "scope")
LEEWAY: Final = timedelta(seconds=5)
"""By how much the clocks of two machines may differ."""
LONGEST: Final = 4096
"""Longer texts are not tokens of ours [characters]."""
BELIEVED_MAX: Final = 2048
"""Tokens whose signature a process remembers to have checked."""

KeySet = dict[str, Ed25519PrivateKey]
"""By ``kid``, the newest last."""
Kind = Literal["citizen", "clerk", "partner", "merchant", "organisation"]
PREFIXES: Final[Mapping[Kind, str]] = {
    "citizen": "cit",
    "clerk": "clk",
    "partner": "par",
    "merchant": "mus",
    "organisation": "oru",
}
"""Of the ids that name them; of a merchant or an organisation it is a person who works there."""


class TokenInvalid(Refusal):
    """The access token is not one of ours, or has ended; refresh it or log in again."""

    code = "auth.token_invalid"
    status = 401
    title_zh = "访问令牌无效或已过期"

    def headers(self) -> Mapping[str, str]:
        """Say that another token is needed (RFC 6750)."""
        return {"www-authenticate": 'Bearer error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as a token says it."""

    kind: Kind
    id: UUID
    scopes: frozenset[Scope]
    owner: int = 0
    """The place in the ledger of a citizen, or of whom somebody works for; 0 for clerks."""
    ends_at: datetime | None = field(default=None, compare=False)
    """When the token that was read ends; None for one that was never a token."""
    proved_at: datetime | None = field(default=None, compare=False)
    """When they logged in, however often the session was refreshed since; None for machines."""

    @property
    def name(self) -> str:
        """The public id, which is how logs and records name them."""
        return public_id(PREFIXES[self.kind], self.id)

    @property
    def bucket(self) -> int:
        """The distribution key of what they own."""
        assert self.owner, self
        return bucket_of(self.owner)


class Tokens:
    """Makes and reads access tokens of one issuer."""

    def __init__(self, keys: Callable[[], KeySet], issuer: str) -> None:
        """Sign with the last of ``keys``, in order of age; believe each of them.

        They are asked for each time, so that a rotation needs no restart.
        """
        self._keys, self._issuer = keys, issuer
        self._believed = lru_cache(BELIEVED_MAX)(self._claims)

    def public_keys(self) -> Sequence[Mapping[str, str]]:
        """Give the public halves as JSON Web Keys (RFC 8037), the newest last."""
        return [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": base64.urlsafe_b64encode(key.public_key().public_bytes_raw())
                .decode()
                .rstrip("="),
                "kid": kid,
                "use": "sig",
                "alg": ALGORITHM,
            }
            for kid, key in self._keys().items()
        ]

    def issue(self, who: Principal, *, at: datetime, lifetime: timedelta = LIFETIME) -> str:
        """Make a token that says who somebody is, until ``at + lifetime``."""
        keys = self._keys()
        kid = next(reversed(keys))
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": who.name,
            "iat": at,
            "exp": at + lifetime,
            "jti": new_id().hex,
            "scope": " ".join(sorted(who.scopes)),
        }
        if who.owner:
            claims["own"] = who.owner
        if who.proved_at is not None:
            claims["auth_time"] = int(who.proved_at.timestamp())
        return jwt.encode(claims, keys[kid], ALGORITHM, {"kid": kid, "typ": TYPE})

    def read(self, text: str) -> Principal:
        """Give who a token speaks of.

        Raises:
            TokenInvalid: Of another form, issuer, audience or key, or past its end.
        """
        try:
            if len(text) > LONGEST:
                raise TokenInvalid
            claims, who = self._believed(text, tuple(self._keys()))
            _check_time(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise TokenInvalid from error
        return who

    def _claims(self, text: str, kids: Sequence[str]) -> tuple[Mapping[str, Any], Principal]:
        """Check a signature, once for each set of keys: what holds of it cannot change but by them.

        Time is judged anew by every reader, and a key that was retired ends all that is remembered.
        """
        header = jwt.get_unverified_header(text)
        kid = str(header.get("kid"))
        key = self._keys().get(kid) if kid in kids else None
        if header.get("typ") != TYPE or key is None:
            raise TokenInvalid
        claims = jwt.decode(
            text,
            key.public_key(),
            [ALGORITHM],
            audience=AUDIENCE,
            issuer=self._issuer,
            options={"require": list(REQUIRED), "verify_exp": False, "verify_iat": False},
        )
        return claims, _principal(claims)


def _check_time(claims: Mapping[str, Any]) -> None:
    """Judge by the deployment's clock, which the library does not know.

    Raises:
        TokenInvalid: Not yet valid, or past its end.
    """
    at, begins, ends = now().timestamp(), claims["iat"], claims["exp"]
    if type(begins) is not int or type(ends) is not int:
        raise TokenInvalid
    if not begins - LEEWAY.total_seconds() <= at < ends + LEEWAY.total_seconds():
        raise TokenInvalid


def _principal(claims: Mapping[str, Any]) -> Principal:
    subject, owner = claims["sub"], claims.get("own", 0)
    scopes = frozenset(Scope(word) for word in str(claims["scope"]).split())
    for kind, prefix in PREFIXES.items():
        found = parse_public_id(prefix, subject)
        if found is not None and isinstance(owner, int) and owner >= 0:
            proved = claims.get("auth_time")
            proved_at = None if proved is None else _instant(proved)
            return Principal(kind, found, scopes, owner, _instant(claims["exp"]), proved_at)
    raise TokenInvalid


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
