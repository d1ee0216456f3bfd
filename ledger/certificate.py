"""The certificate: what was given up for ever, for whom and why (注销证书), checkable by anybody.

Its content is fixed when its transfers are posted. The *claim* is canonical JSON of whole numbers
and strings (names sorted, no white space, UTF-8); amounts are decimal strings, since they exceed
what JavaScript holds in a number. What is personal or free text stands in it as a salted
commitment only, so that a name can be shown, and be withdrawn for ever by destroying its salt,
while the claim stays what it was. Each transfer carries as its evidence

    H(tag("certificate-claim") ‖ salt 32 ‖ SHA-256(claim))

with a salt of its own, so that two entries of one claim cannot be linked by who sees only entries.
A text's commitment is H(tag("certificate-text") ‖ salt 32 ‖ SHA-256(name) ‖ SHA-256(text)).
`verify_certificate.py` says what makes a certificate true.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final, Literal

from ledger.assets import Reduction, Unit, asset_key
from ledger.encoding import HASH_BYTES, tag
from ledger.header import Header
from ledger.receipt import Anchoring, Json

FORMAT: Final = "tanpu-certificate/1"
VERSION: Final = 1
TEXTS: Final = ("beneficiary", "holder", "message")
"""What a claim commits to: for whom, by whom, and in which words."""

Kind = Literal["reduction", "unit"]
UNITS: Final[Mapping[Kind, str]] = {"reduction": "mg", "unit": "kg"}

_CLAIM = tag("certificate-claim")
_TEXT = tag("certificate-text")


class Purpose(IntEnum):
    """What something was given up for; published numbers, append-only (用途)."""

    PUBLIC_BENEFIT = 1
    """公益注销"""
    GATHERING = 2
    """大型活动碳中和"""
    VOLUNTARY_OFFSET = 3
    """自愿抵销"""
    ETS_SURRENDER = 6
    """配额清缴抵销"""
    ECOLOGICAL_DAMAGE = 7
    """生态环境损害赔偿"""
    REPLACEMENT = 8
    """失效替换"""


def text_commit(name: str, salt: bytes, text: str) -> bytes:
    """Commit to one of `TEXTS`; an empty text is committed to as well.

    >>> text_commit("holder", bytes(32), "") != text_commit("message", bytes(32), "")
    True
    """
    assert name in TEXTS, name
    assert len(salt) == HASH_BYTES, len(salt)
    hashed = sha256(name.encode()).digest() + sha256(text.encode()).digest()
    return sha256(_TEXT + salt + hashed).digest()


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """What one transfer gave up."""

    asset: Reduction | Unit
    amount: int
    """[mg] of a reduction, [kg] of units."""
    serials: str | None = None
    """Of units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a certificate says."""

    kind: Kind
    subject: str
    """Public id of the cancellation or retirement."""
    parts: Sequence[ClaimPart]
    """One a transfer; a retirement has one."""
    purpose: Purpose
    period: str | None = None
    """What time it makes up for, as its holder says; e.g. ``2026``."""
    day: int
    """On which it was posted, since 1970-01-01."""
    holder_commit: bytes
    beneficiary_commit: bytes
    message_commit: bytes

    def to_json(self) -> Json:
        """Write the claim as an object."""
        return {
            "v": VERSION,
            "kind": self.kind,
            "subject": self.subject,
            "unit": UNITS[self.kind],
            "parts": [
                {
                    "asset": asset_key(part.asset).hex(),
                    "amount": str(part.amount),
                    "serials": part.serials,
                }
                for part in self.parts
            ],
            "purpose": int(self.purpose),
            "period": self.period,
            "day": self.day,
            "holder_commit": self.holder_commit.hex(),
            "beneficiary_commit": self.beneficiary_commit.hex(),
            "message_commit": self.message_commit.hex(),
        }


def canonical(value: Json) -> bytes:
    """Write JSON in its one form.

    >>> canonical({"b": "商", "a": 1}).decode()
    '{"a":1,"b":"商"}'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode()


def claim_commit(salt: bytes, claim: Json) -> bytes:
    """Commit to a claim: the evidence of one of its transfers."""
    assert len(salt) == HASH_BYTES, len(salt)
    return sha256(_CLAIM + salt + sha256(canonical(claim)).digest()).digest()


@dataclass(frozen=True, slots=True)
class Opened:
    """A text of a claim, opened."""

    salt: bytes
    text: str


@dataclass(frozen=True, slots=True)
class LoggedPart:
    """Where one transfer of a claim lies in the log, and what opens it."""

    asset: Reduction | Unit
    salt: bytes
    log_index: int
    debit_commit: bytes
    """The holder's side, closed: a certificate does not say whose account it was."""
    path: Sequence[bytes]

    def to_json(self) -> Json:
        """Write it as certificates have it."""
        return {
            "asset": asset_json(self.asset),
            "salt": self.salt.hex(),
            "log_index": self.log_index,
            "debit": self.debit_commit.hex(),
            "path": [hash_.hex() for hash_ in self.path],
        }


def asset_json(asset: Reduction | Unit) -> Json:
    """Name a class in words, from which its key follows."""
    if isinstance(asset, Unit):
        return {"batch": asset.batch}
    return {
        "methodology": asset.methodology,
        "version": asset.version,
        "scenario": asset.scenario,
        "grade": asset.grade,
        "vintage": f"{asset.vintage:%Y%m}",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The pieces of a certificate; all its transfers lie in one epoch."""

    origin: str
    header: Header
    anchoring: Anchoring | None
    """None while the header waits for the chain."""
    claim: Json
    parts: Sequence[Json]
    """`LoggedPart` as JSON, in the claim's order."""
    openings: Mapping[str, Opened]
    """Those of `TEXTS` that may be shown."""
    status: Json | None = None
    """What the operator says is left of it: signed, and newer than the log can be."""

    def to_json(self) -> Json:
        """Write the document; what became of it comes first."""
        opened = {name: self.openings.get(name) for name in TEXTS}
        return {
            "format": FORMAT,
            "status": self.status,
            "origin": self.origin,
            "header": self.header.to_bytes().hex(),
            "chain": self.anchoring and self.anchoring.to_json(),
            "claim": self.claim,
            "parts": [*self.parts],
            "openings": {
                name: each and {"salt": each.salt.hex(), "text": each.text}
                for name, each in opened.items()
            },
        }
