"""Vouchers (券): what a phone shows to a till, and how a till's reading of it is understood.

A QR text lives for its 30 s step and a step to either side: ``v1.<voucher>.<step>.<mac>``, where
the mac is the first 12 hex digits of HMAC-SHA256 over the step's decimal digits, under the
voucher's own key. That key is derived from one outside the database and given to the holder's
phone, which makes codes without a network. The printed code is derived from it likewise: 11
base-32 characters and a check.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from app.kernel.ids import ALPHABET, parse_public_id, public_id
from app.kernel.secrets import Keys

PREFIX: Final = "vch"
STEP_S: Final = 30
STEPS_AROUND: Final = 1
MAC_DIGITS: Final = 12
PRINTED_DIGITS: Final = 12
_QR: Final = re.compile(r"v1\.(vch_[0-9a-z]{26})\.([0-9]{1,12})\.([0-9a-f]{12})")
_LOOKALIKE: Final = str.maketrans("oil", "011", " -")
_BASE: Final = len(ALPHABET)


@dataclass(frozen=True, slots=True)
class Shown:
    """A QR text that was read: of which voucher, when made, and with what proof."""

    voucher: UUID
    step: int
    mac: str


def key_of(keys: Keys, voucher: UUID) -> bytes:
    """Give a voucher's own key."""
    return keys.voucher_hash("key", voucher.bytes)


def step_at(at: datetime) -> int:
    """Number the step that an instant lies in."""
    return int(at.timestamp()) // STEP_S


def mac_of(key: bytes, step: int) -> str:
    """Prove knowledge of a voucher's key in one step.

    >>> mac_of(bytes(32), 58_000_000)
    '0e4e24d1a0ea'
    """
    return hmac.digest(key, str(step).encode(), sha256).hex()[:MAC_DIGITS]


def qr_text(key: bytes, voucher: UUID, at: datetime) -> str:
    """Write what the screen shows now."""
    step = step_at(at)
    return f"v1.{public_id(PREFIX, voucher)}.{step}.{mac_of(key, step)}"


def read_qr(text: str) -> Shown | None:
    """Read a QR text; ``None`` if it is none of ours."""
    found = _QR.fullmatch(text)
    voucher = parse_public_id(PREFIX, found[1]) if found else None
    return Shown(voucher, int(found[2]), found[3]) if found and voucher else None


def is_genuine(key: bytes, shown: Shown) -> bool:
    """Say whether whoever made the text knew the voucher's key."""
    return hmac.compare_digest(mac_of(key, shown.step), shown.mac)


def is_fresh(shown: Shown, at: datetime) -> bool:
    """Say whether it is of this step or one beside it: a screenshot dies in 90 s."""
    return abs(step_at(at) - shown.step) <= STEPS_AROUND


def printed_code(key: bytes) -> str:
    """Derive the code for paper.

    >>> printed_code(bytes(32))
    'wfqc2hfwd266'
    """
    number = int.from_bytes(hmac.digest(key, b"print", sha256)[:7], "big") >> 1
    body = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(11)))
    return body + check_of(body)


def check_of(body: str) -> str:
    """Give the check character (Luhn mod 32): finds any one wrong character, and most swaps.

    >>> check_of("00000000000"), check_of("00000000001")
    ('0', 'y')
    """
    total = 0
    for place, character in enumerate(reversed(body)):
        value = ALPHABET.index(character) * (2 - place % 2)
        total += value // _BASE + value % _BASE
    return ALPHABET[-total % _BASE]


def read_printed(text: str) -> str | None:
    """Read a printed code as people type it; ``None`` if its check does not hold.

    >>> read_printed("WFQC 2HFW-D266"), read_printed("WFQC 2HFW-D267")
    ('wfqc2hfwd266', None)
    """
    code = text.strip().lower().translate(_LOOKALIKE)
    if len(code) != PRINTED_DIGITS or not set(code) <= set(ALPHABET):
        return None
    return code if check_of(code[:-1]) == code[-1] else None


def code_hash(keys: Keys, code: str) -> bytes:
    """Hash a printed code as the database knows it."""
    return keys.voucher_hash("code", code.encode())
