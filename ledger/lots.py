"""Lots (批次池): the bytes of a row, of a sample's seed, and of the order in which rows are drawn.

A row says how much of one act is in a lot. Its leaf is salted with a secret of the act's owner, so
it opens for them alone; the root over all leaves, sorted, is published when the lot is frozen.

    leaf   H(00 ‖ tag("lot-row") ‖ lot 16 ‖ act 16 ‖ assetKey 32 ‖ day u32 ‖ act mg u64 ‖ mg u64
             ‖ evidenceCommit 32 ‖ salt 32)            salt = HMAC(K_a, "lot" ‖ lot ‖ act)
    seed   H(tag("sample-seed") ‖ final block hash 32 ‖ verifier's nonce 32 ‖ regulator's nonce 32)
    order  H(tag("sample-order") ‖ seed 32 ‖ leaf 32), the smallest first

A nonce is committed to before the block is known, by a party under its own name, so that nobody's
commitment serves another: H(tag("sample-nonce") ‖ lot 16 ‖ SHA-256(party) ‖ nonce 32). One that is
not revealed in time counts as ``WITHHELD``.
"""

import hmac
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from typing import Final
from uuid import UUID

from ledger.encoding import HASH_BYTES, tag
from ledger.log import check_inclusion

_ROW: Final = b"\x00" + tag("lot-row")
_FIELDS: Final = struct.Struct(">33s16s16s32sIQQ32s32s")
_SEED: Final = tag("sample-seed")
_ORDER: Final = tag("sample-order")
_NONCE: Final = tag("sample-nonce")
WITHHELD: Final = bytes(HASH_BYTES)
"""What a nonce that was not revealed counts as."""


@dataclass(frozen=True, slots=True)
class LotRow:
    """What a lot has of one act."""

    lot: UUID
    act: UUID
    asset_key: bytes
    day: int
    """Of the act, since 1970-01-01."""
    act_mg: int
    """What the act was worth in all when the lot was frozen."""
    mg: int
    """Of that, what is in this lot."""
    evidence: bytes
    """The act's evidence commitment, which its log entry carries too; zero where it has none."""


def row_salt(secret: bytes, lot: UUID, act: UUID) -> bytes:
    """Derive the salt of a row from the owner's secret K_a."""
    return hmac.digest(secret, b"lot" + lot.bytes + act.bytes, "sha256")


def row_leaf(row: LotRow, salt: bytes) -> bytes:
    """Hash a row into its leaf.

    Raises:
        OverflowError: A number does not fit its width.
    """
    assert len(row.asset_key) == len(row.evidence) == len(salt) == HASH_BYTES, row
    try:
        packed = _FIELDS.pack(
            _ROW,
            row.lot.bytes,
            row.act.bytes,
            row.asset_key,
            row.day,
            row.act_mg,
            row.mg,
            row.evidence,
            salt,
        )
    except struct.error as wrong:
        raise OverflowError(str(wrong)) from wrong
    return sha256(packed).digest()


def check_row(
    row: LotRow, salt: bytes, position: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Say whether a row, opened by its owner, is in a lot of so many leaves with this root."""
    return check_inclusion(row_leaf(row, salt), position, size, path, root)


def nonce_commitment(lot: UUID, party: str, nonce: bytes) -> bytes:
    """Commit a party to a nonce before anybody knows the block that it will be hashed with."""
    assert len(nonce) == HASH_BYTES, len(nonce)
    return sha256(_NONCE + lot.bytes + sha256(party.encode()).digest() + nonce).digest()


def sample_seed(block_hash: bytes, verifier: bytes, regulator: bytes) -> bytes:
    """Hash what nobody could choose alone into the seed of a sample (R25)."""
    assert len(block_hash) == len(verifier) == len(regulator) == HASH_BYTES, len(block_hash)
    return sha256(_SEED + block_hash + verifier + regulator).digest()


def draw(seed: bytes, leaves: Iterable[bytes], count: int) -> list[tuple[int, bytes]]:
    """Draw ``count`` leaves, or all; gives (position, leaf) in the order in which they are drawn.

    >>> [position for position, _ in draw(bytes(32), [b"a" * 32, b"b" * 32], 5)]
    [1, 0]
    """
    order = sha256(_ORDER + seed)

    def place(numbered: tuple[int, bytes]) -> bytes:
        hashed = order.copy()
        hashed.update(numbered[1])
        return hashed.digest()

    return nsmallest(count, enumerate(leaves), key=place)
