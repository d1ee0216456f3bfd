"""Refresh tokens (刷新令牌): opaque to whoever holds them, and each the seed of its successor.

bucket [2 B] ‖ family [16 B] ‖ secret [32 B] ‖ seal [16 B], in base64url. The first secret is
random; the next is HMAC(key, family ‖ secret) under a key outside the database, so the same
successor is given however often one is asked for it within the grace, and only hashes are stored.
The seal says that this platform once gave the token out: what does not bear it ends no session
and reaches no table.
"""

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from uuid import UUID

from app.kernel.secrets import Keys

SECRET_BYTES: Final = 32
SEAL_BYTES: Final = 16
BODY_BYTES: Final = 2 + 16 + SECRET_BYTES
LENGTH: Final = (BODY_BYTES + SEAL_BYTES) * 4 // 3
"""Of the text [characters]."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token of one session."""

    bucket: int
    family: UUID
    secret: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        """What is stored of it."""
        return sha256(self.secret).digest()

    def successor(self, keys: Keys) -> "RefreshToken":
        """Give the token that follows; always the same one."""
        made = keys.login_hash("refresh/next", self.family.bytes + self.secret)
        return RefreshToken(self.bucket, self.family, made)

    def text(self, keys: Keys) -> str:
        """Write it for its holder."""
        body = self._body()
        return base64.urlsafe_b64encode(body + _seal(keys, body)).decode()

    def _body(self) -> bytes:
        return self.bucket.to_bytes(2, "big") + self.family.bytes + self.secret


def read_refresh_token(keys: Keys, text: str) -> RefreshToken | None:
    """Read a token that this platform gave out; ``None`` for anything else."""
    if len(text) != LENGTH:
        return None
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    body, seal = raw[:BODY_BYTES], raw[BODY_BYTES:]
    if not compare_digest(seal, _seal(keys, body)):
        return None
    return RefreshToken(int.from_bytes(body[:2], "big"), UUID(bytes=body[2:18]), body[18:])


def _seal(keys: Keys, body: bytes) -> bytes:
    return keys.login_hash("refresh/seal", body)[:SEAL_BYTES]
