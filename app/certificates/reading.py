"""Reading certificates (读取证书): the proof as it was kept, who may be named, and what is left."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.activities.left import left_of
from app.anchoring.closing import header_of
from app.anchoring.publishing import anchoring_of
from app.books.openings import opened, texts_of
from app.cancellations.queries import parts_of
from app.certificates.errors import CertificateUnknown
from app.certificates.takedowns import PREFIX, Takedown, takedowns_of
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.registry.replacing import owed_kg
from app.registry.retirements import find_retirement
from ledger.certificate import Certificate, canonical
from ledger.receipt import Json

_ONE: Final = """
select id, kind, account, epoch, claim, parts, issued_at from certificate where id = %s"""
_PLACE: Final = """
select chain_id, contract, block_number, block_hash, tx_hash from anchored where epoch = %s"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate, with what there is to say of it now."""

    certificate: Certificate
    """Without its status, which is signed as it is sent."""
    public: str
    issued_at: datetime
    amount: int
    """In the claim's unit."""
    remaining: int
    """What corrections left of it (R6); of units, less those that nothing has replaced yet."""
    taken_down: Sequence[Takedown]

    @property
    def state(self) -> str:
        """``valid``, ``reduced`` or ``revoked``."""
        if self.remaining == self.amount:
            return "valid"
        return "reduced" if self.remaining else "revoked"

    def status(self, key: Ed25519PrivateKey, *, at: datetime) -> Json:
        """Say what is left of it, signed, so that whoever keeps it can hold the operator to it."""
        status: Json = {
            "state": self.state,
            "certificate": self.public,
            "amount": str(self.amount),
            "remaining": str(self.remaining),
            "as_of": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        return status | {"signature": key.sign(canonical(status)).hex()}

    def to_json(self, key: Ed25519PrivateKey, *, at: datetime) -> Json:
        """Write the document, its status first."""
        return replace(self.certificate, status=self.status(key, at=at)).to_json()


def find_certificate(
    session: Session, origin: str, certificate: UUID | None, *, owner: int | None = None
) -> Shown:
    """Give a certificate as anybody may see it, or as its ``owner`` may.

    Raises:
        CertificateUnknown: There is none, or it is not this owner's.
    """
    connection = driver(session)
    row = connection.execute(_ONE, (certificate,)).fetchone()
    if row is None or (owner is not None and row[2] != owner):
        raise CertificateUnknown
    subject, kind, holder, epoch, claim_text, parts_text, issued_at = row
    claim, parts = json.loads(claim_text), json.loads(parts_text)
    place = connection.execute(_PLACE, (epoch,)).fetchone()
    amount = sum(int(part["amount"]) for part in claim["parts"])
    return Shown(
        certificate=Certificate(
            origin=origin,
            header=header_of(session, epoch),
            anchoring=anchoring_of(*place) if place else None,
            claim=claim,
            parts=parts,
            openings=opened(texts_of(connection, holder, subject), to_all=owner is None),
        ),
        public=public_id(PREFIX, subject),
        issued_at=issued_at,
        amount=amount,
        remaining=_left_of_cancellation(connection, holder, subject)
        if kind == "reduction"
        else amount - owed_kg(connection, find_retirement(session, holder, subject)),
        taken_down=takedowns_of(connection, subject),
    )


def _left_of_cancellation(connection: Connection, owner: int, cancellation: UUID) -> int:
    left, parts = left_of(connection, owner), parts_of(connection, owner, [cancellation])
    return sum(left[part.transfer] for part in parts[cancellation])
