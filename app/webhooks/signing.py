"""Signatures of Standard Webhooks 1.0 (签名): ``v1a`` is Ed25519, ``v1`` HMAC-SHA256.

What is signed is ``id.timestamp.body``. While a secret is being replaced there are two signatures,
so that a receiver changes over when it likes.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from hmac import digest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Scheme(StrEnum):
    """How an endpoint's messages are signed."""

    ED25519 = "v1a"
    """The key is this deployment's alone: a receiver can prove to others what it was sent."""
    HMAC = "v1"
    """Both sides have the secret."""


def headers_of(
    scheme: Scheme, secrets: Sequence[bytes], message: str, body: bytes, *, at: datetime
) -> dict[str, str]:
    """Give the headers of a message that is sent now, by the wall's clock."""
    stamp = str(int(at.timestamp()))
    signed = f"{message}.{stamp}.".encode() + body
    signatures = [f"{scheme},{b64encode(_sign(scheme, each, signed)).decode()}" for each in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def public_key(secret: bytes) -> str:
    """Write the public half of an Ed25519 secret, as receivers keep it."""
    key = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    return f"whpk_{b64encode(key.public_bytes_raw()).decode()}"


def shared_secret(secret: bytes) -> str:
    """Write a secret of HMAC, as receivers keep it."""
    return f"whsec_{b64encode(secret).decode()}"


def _sign(scheme: Scheme, secret: bytes, signed: bytes) -> bytes:
    if scheme is Scheme.HMAC:
        return digest(secret, signed, sha256)
    return Ed25519PrivateKey.from_private_bytes(secret).sign(signed)
