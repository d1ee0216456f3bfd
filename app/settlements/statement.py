"""What is signed of a settlement (结算单文本): its root and sums, as bytes that never change.

The receipt key signs it, as every receipt of this operator; ``ledger.settlement`` checks it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.kernel.ids import public_id
from app.settlements.lines import PREFIX, written
from app.settlements.rules import ProgrammeShare
from ledger.settlement import KIND


class SettlementSeal(NamedTuple):
    """What signs statements, and in whose name."""

    key: Ed25519PrivateKey
    origin: str


class SettlementTerms(NamedTuple):
    """Whose statement it is, of which day, and what the programmes keep."""

    id: UUID
    merchant: UUID
    day: date
    fee_permille: int
    closed_at: datetime


class SignedStatement(NamedTuple):
    """A statement's bytes, and the signature under them."""

    text: bytes
    signature: bytes


def sign_settlement(
    seal: SettlementSeal,
    terms: SettlementTerms,
    tree: tuple[int, bytes],
    found: Sequence[ProgrammeShare],
    programmes: Mapping[int, str],
) -> SignedStatement:
    """Sign a statement over ``tree``, (lines, root); the same facts give the same bytes."""
    size, root = tree
    text = msgspec.json.encode(
        {
            "kind": KIND,
            "origin": seal.origin,
            "settlement": public_id(PREFIX, terms.id),
            "merchant": public_id("mer", terms.merchant),
            "day": terms.day,
            "closed_at": written(terms.closed_at),
            "lines": size,
            "root": root.hex(),
            "fee_permille": terms.fee_permille,
            "programmes": [
                {
                    "programme": programmes[share.programme],
                    "gross_fen": share.gross_fen,
                    "fee_fen": share.fee_fen,
                    "net_fen": share.net_fen,
                }
                for share in found
            ],
            "gross_fen": sum(share.gross_fen for share in found),
            "fee_fen": sum(share.fee_fen for share in found),
            "net_fen": sum(share.net_fen for share in found),
        },
        order="sorted",
    )
    return SignedStatement(text, seal.key.sign(text))


def is_signed(public: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    """Say whether a key made this signature under this text."""
    try:
        public.verify(signature, text)
    except InvalidSignature:
        return False
    return True
