"""The erasure receipt (删除回执): what was destroyed, when, and where the log says so.

It names nobody. Its holder can show that the log has an entry of code 200 at that place.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.anchoring.erasing import Sealed
from app.kernel.ids import public_id

KIND: Final = "tanpu/erasure-receipt/1"
DESTROYED: Final = (
    "account secret",
    "account key",
    "identity",
    "consents",
    "links",
    "sessions",
    "inputs of activities",
    "times and places",
    "settings",
    "memberships",
)
"""Words of the receipt; append-only."""


class Receipt(NamedTuple):
    """A signed statement."""

    statement: bytes
    """Canonical JSON; these bytes are signed."""
    signature: bytes
    """Ed25519."""


def sign_receipt(
    key: Ed25519PrivateKey,
    origin: str,
    erasure: UUID,
    asked_at: datetime,
    sealed: Sealed,
    *,
    at: datetime,
) -> Receipt:
    """Sign that an erasure was done; the same facts give the same bytes."""
    statement = msgspec.json.encode(
        {
            "kind": KIND,
            "origin": origin,
            "erasure": public_id("era", erasure),
            "asked_at": asked_at,
            "destroyed_at": at,
            "destroyed": DESTROYED,
            "epoch": sealed.epoch,
            "header_hash": sealed.header_hash.hex(),
            "log_index": sealed.log_index,
            "leaf": sealed.leaf.hex(),
        },
        order="sorted",
    )
    return Receipt(statement, key.sign(statement))
