"""Status lists (状态清单, draft-ietf-oauth-status-list): one bit a statement, 1 for revoked.

A verifier fetches a whole list and so tells nobody which statement it holds. A list has places
for 131,072 statements, 16 kB before compression; places are given out in order of issue.
"""

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.growth.sd_jwt import ALGORITHM

SHIFT: Final = 17
PLACES: Final = 1 << SHIFT
TYPE: Final = "statuslist+jwt"
TTL: Final = timedelta(minutes=5)
"""How long a list may be kept: a revocation is known to everybody after that."""
LIFETIME: Final = timedelta(hours=24)


def compressed(revoked: Iterable[int], places: int = PLACES) -> str:
    """Write a list: bit ``i & 7`` of byte ``i >> 3`` is place ``i``; zlib, base64url.

    >>> compressed([0, 3, 4, 5, 7, 8, 9, 13, 15], 16)
    'eNrbuRgAAhcBXQ'
    """
    bits = bytearray(places >> 3)
    for place in revoked:
        bits[place >> 3] |= 1 << (place & 7)
    return urlsafe_b64encode(zlib.compress(bytes(bits), 9)).decode().rstrip("=")


def signed_list(
    uri: str, revoked: Iterable[int], key: Ed25519PrivateKey, kid: str, *, at: datetime
) -> str:
    """Sign the list of ``uri`` as it stands at ``at``."""
    claims: Mapping[str, Any] = {
        "sub": uri,
        "iat": at,
        "exp": at + LIFETIME,
        "ttl": int(TTL.total_seconds()),
        "status_list": {"bits": 1, "lst": compressed(revoked)},
    }
    return jwt.encode(dict(claims), key, ALGORITHM, {"kid": kid, "typ": TYPE})
