"""What a clerk proves (登录凭证): a password under Argon2id, and a code of this half minute.

Argon2id (RFC 9106) with 19 MiB and two passes, which OWASP's password storage sheet gives as the
least; TOTP (RFC 6238) in the form that every authenticator knows: SHA-1, 30 s, 6 digits.
"""

import secrets
from base64 import b32encode
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S: Final = 30
DIGITS: Final = 6
WINDOW: Final = (0, -1, 1)
"""Steps that are believed, as phones' clocks go wrong by some seconds."""
TOTP_BYTES: Final = 20
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
ISSUER: Final = "Tanpu"
ENROLMENT_BYTES: Final = 20


def new_enrolment() -> str:
    """Make the secret by which a clerk enrols once: 160 bits, as 32 letters and digits."""
    return b32encode(secrets.token_bytes(ENROLMENT_BYTES)).decode().lower()


def commitment(enrolment: str) -> bytes:
    """Hash an enrolment secret: what whoever admits a clerk is given instead of it."""
    return sha256(enrolment.encode()).digest()


def new_totp() -> bytes:
    """Make the secret that a clerk's authenticator keeps."""
    return secrets.token_bytes(TOTP_BYTES)


def hash_password(password: str) -> str:
    """Hash a password under a fresh salt, as a PHC string."""
    made = Argon2id(
        salt=secrets.token_bytes(SALT_BYTES),
        length=KEY_BYTES,
        iterations=PASSES,
        lanes=1,
        memory_cost=MEMORY_KIB,
    )
    return made.derive_phc_encoded(password.encode())


def is_password(password: str, hashed: str | None) -> bool:
    """Say whether a password is the hashed one; without one, take as long and say no."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), hashed or _nobodys())
    except InvalidKey:
        return False
    return hashed is not None


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_hex())


def code_at(totp: bytes, step: int) -> str:
    """Give the code of a step.

    >>> code_at(b"12345678901234567890", 1)
    '287082'
    """
    return _totp(totp).generate(step * STEP_S).decode()


def step_of(totp: bytes, code: str, at: datetime) -> int | None:
    """Give the step that a code is of, if it is of this one or a neighbour.

    >>> from datetime import UTC
    >>> step_of(b"12345678901234567890", "287082", datetime.fromtimestamp(89, UTC))
    1
    >>> step_of(b"12345678901234567890", "287082", datetime.fromtimestamp(90, UTC)) is None
    True
    """
    this = int(at.timestamp()) // STEP_S
    for step in (this + aside for aside in WINDOW):
        if step >= 0 and bytes_eq(code_at(totp, step).encode(), code.encode()):
            return step
    return None


def otpauth_uri(totp: bytes, login: str) -> str:
    """Write what an authenticator scans."""
    return _totp(totp).get_provisioning_uri(login, ISSUER)


def seal_owner(clerk: UUID) -> int:
    """Give what binds a sealed secret to a clerk: above every place in the ledger.

    >>> seal_owner(UUID("01890000-0000-7000-8000-000000000001")) >= 2**63
    True
    """
    return clerk.int & (2**64 - 1)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 -- HMAC-SHA-1, as authenticators do
