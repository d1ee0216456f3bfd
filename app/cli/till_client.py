"""A till's client (终端客户端): one signed request, and how it is sent until it is answered.

For makers of tills to read: all that theirs does for a request of the form in docs/mall.md. A
request is sent with the same body and Idempotency-Key as often as it takes, each time under a fresh
signature: however often it arrives, it is done once.
"""

import time
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.clock import now
from app.kernel.signatures import TILL
from app.kernel.signing import sign

REDEMPTIONS: Final = "/v1/merchant/redemptions"
JSON: Final = "application/json"
PAUSES_S: Final = (0, 1, 3)
"""Before each try: whoever waits at a counter is told soon that there is no network."""
ANSWER_WITHIN_S: Final = 15
ANSWER_BYTES_MAX: Final = 1 << 20
UNKNOWN_FROM: Final = 500
"""From this status on it is not known what was done, and the same request finds it out."""


class HeldTill(NamedTuple):
    """A till as the device holds it."""

    id: str
    private_key: Ed25519PrivateKey


class Asked(NamedTuple):
    """A request, frozen: sent again it is the same but for its signature."""

    url: str
    body: bytes
    key: str


class Told(NamedTuple):
    """What it was answered."""

    status: int
    body: bytes


def send(till: HeldTill, asked: Asked, at: datetime | None = None) -> Told | None:
    """Send a request until it is answered; ``None`` where the tries are used up.

    Args:
        till: Who signs.
        asked: What is asked for.
        at: The time to sign by, where it is not this machine's.
    """
    parts = urlsplit(asked.url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    for pause_s in PAUSES_S:
        time.sleep(pause_s)
        headers = sign(
            till.private_key,
            till.id,
            "POST",
            asked.url,
            at=at or now(),
            body=asked.body,
            idempotency_key=asked.key,
            content_type=JSON,
            tag=TILL,
        )
        try:
            with closing(connect(parts.netloc, timeout=ANSWER_WITHIN_S)) as connection:
                connection.request("POST", parts.path, asked.body, headers)
                with connection.getresponse() as reply:
                    told = Told(reply.status, reply.read(ANSWER_BYTES_MAX))
        except (OSError, HTTPException):
            continue
        if told.status < UNKNOWN_FROM:
            return told
    return None
