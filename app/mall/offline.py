"""Vouchers without a network (离线券): a signed text that a till can check alone, and tells later.

``o1.<payload>.<signature>``: the payload is JSON in base64url, the signature Ed25519 by the
ledger's receipt key over everything before the last dot. A till takes it if the signature holds,
the merchant is its own, the time is not over and it has not taken it before; the merchant's cap
bounds what its tills may owe so. When it tells, the first to have redeemed the voucher has it.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.kernel.db import Database
from app.kernel.ids import parse_public_id, public_id
from app.kernel.problems import Refusal
from app.mall.order_errors import VoucherNotOffline, VoucherUnknown
from app.mall.orders import OrderRow
from app.mall.redeeming import REDEEM, Asked, Redemption, facts_of, told
from app.mall.vouchers import PREFIX

SKEW: Final = timedelta(seconds=30)
"""How far ahead of ours a till's clock may be."""


class Taken(NamedTuple):
    """A voucher that a till took without a network, and when."""

    token: str
    at: datetime


class Outcome(NamedTuple):
    """What came of telling it."""

    redemption: Redemption | None
    refusal: Refusal | None


def write_token(key: Ed25519PrivateKey, order: OrderRow, until: datetime) -> str:
    """Sign what a till must know to hand something over unseen."""
    said = {
        "voucher": public_id(PREFIX, order.voucher),
        "merchant": public_id("mer", order.merchant),
        "title_zh": order.title_zh,
        "title_en": order.title_en,
        "quantity": order.quantity,
        "points": order.points,
        "fen": order.fen,
        "until": int(until.timestamp()),
    }
    payload = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    signed = f"o1.{_encoded(payload)}"
    return f"{signed}.{_encoded(key.sign(signed.encode()))}"


def read_token(key: Ed25519PublicKey, text: str) -> UUID | None:
    """Give the voucher of a token that this ledger signed; ``None`` for any other text."""
    signed, _, signature = text.rpartition(".")
    version, _, payload = signed.partition(".")
    try:
        key.verify(_decoded(signature), signed.encode())
        said = cast("dict[str, Any]", json.loads(_decoded(payload)))
    except (InvalidSignature, NotBase64, ValueError):
        return None
    return parse_public_id(PREFIX, said["voucher"]) if version == "o1" else None


def tell(
    db: Database, key: Ed25519PublicKey, asked: Asked, taken: Taken, *, moved: UUID, at: datetime
) -> Outcome:
    """Redeem what a till took unseen; asked again, it tells the same redemption."""
    voucher = read_token(key, taken.token)
    if voucher is None:
        return Outcome(None, VoucherUnknown())
    if taken.at > at + SKEW:
        return Outcome(None, VoucherNotOffline())
    facts = facts_of(asked, moved, at, voucher=voucher, offline_at=taken.at)
    try:
        return Outcome(told(db.call(REDEEM, facts)), None)
    except Refusal as refusal:
        return Outcome(None, refusal)


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
