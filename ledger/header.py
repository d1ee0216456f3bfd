"""The epoch header: the 324 bytes that commit to every account and every entry.

    tag("header") ‖ originTag 32 ‖ params u32 ‖ epoch u64 ‖ closedAt u64 ‖ logSize u64
    ‖ accountCount u64 ‖ logRoot ‖ accountRoot ‖ methodologyRoot
    ‖ co2Credits u128 ‖ co2Debits u128 ‖ ptsCredits u128 ‖ ptsDebits u128 ‖ aux ‖ prevHeader

params = version 1 << 16 | suite 1 (SHA-256) << 8 | b. Its SHA-256 is what the chain keeps.
The origin's tag names the deployment, not the chain, so that headers survive a migration.
"""

import struct
from dataclasses import dataclass
from hashlib import sha256

from ledger.encoding import HASH_BYTES, ZERO_HASH, Sums, sums_bytes, sums_of, tag

HEADER_BYTES = 324
_TAG = tag("header")
_VERSION_AND_SUITE = 1 << 16 | 1 << 8
_BITS_MAX = 32
_NUMBERS = struct.Struct(">IQQQQ")
_NUMBERS_AT = 2 * HASH_BYTES
_ROOTS_AT = _NUMBERS_AT + _NUMBERS.size
_SUMS_AT = _ROOTS_AT + 3 * HASH_BYTES
_AUX_AT = _SUMS_AT + 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One epoch, in full."""

    origin_tag: bytes
    bits: int
    """b: the account map has 2^b cells."""
    epoch: int
    closed_at: int
    """Seconds since 1970, as the operator claims them; block time is the other witness."""
    log_size: int
    account_count: int
    log_root: bytes
    account_root: bytes
    methodology_root: bytes
    sums: Sums
    aux: bytes = ZERO_HASH
    previous: bytes = ZERO_HASH

    def to_bytes(self) -> bytes:
        """Write the 324 bytes.

        Raises:
            OverflowError: A number does not fit its width.
        """
        assert 0 <= self.bits <= _BITS_MAX, self.bits
        roots = (self.log_root, self.account_root, self.methodology_root)
        hashes = (self.origin_tag, *roots, self.aux, self.previous)
        assert all(len(hash_) == HASH_BYTES for hash_ in hashes), self
        try:
            numbers = _NUMBERS.pack(
                _VERSION_AND_SUITE | self.bits,
                self.epoch,
                self.closed_at,
                self.log_size,
                self.account_count,
            )
        except struct.error as wrong:
            raise OverflowError(str(wrong)) from wrong
        return b"".join(
            (
                _TAG,
                self.origin_tag,
                numbers,
                *roots,
                sums_bytes(self.sums),
                self.aux,
                self.previous,
            )
        )

    def hash(self) -> bytes:
        """Hash the header: the word that goes to the chain."""
        return sha256(self.to_bytes()).digest()

    @classmethod
    def of(cls, data: bytes) -> "Header":
        """Read the 324 bytes.

        Raises:
            ValueError: They are no header of this version.
        """
        if len(data) != HEADER_BYTES or data[:HASH_BYTES] != _TAG:
            raise ValueError("no header")
        params, epoch, closed_at, log_size, count = _NUMBERS.unpack_from(data, _NUMBERS_AT)
        bits = params & 0xFF
        if params - bits != _VERSION_AND_SUITE or bits > _BITS_MAX:
            raise ValueError(f"unknown parameters {params:#x}")
        roots = [data[at : at + HASH_BYTES] for at in range(_ROOTS_AT, _SUMS_AT, HASH_BYTES)]
        return cls(
            origin_tag=data[HASH_BYTES:_NUMBERS_AT],
            bits=bits,
            epoch=epoch,
            closed_at=closed_at,
            log_size=log_size,
            account_count=count,
            log_root=roots[0],
            account_root=roots[1],
            methodology_root=roots[2],
            sums=sums_of(data[_SUMS_AT:_AUX_AT]),
            aux=data[_AUX_AT : _AUX_AT + HASH_BYTES],
            previous=data[_AUX_AT + HASH_BYTES :],
        )


def origin_tag(origin: str) -> bytes:
    """Hash the name of a deployment.

    >>> origin_tag("carbon.example.sh.cn/ledger/1").hex()[:8]
    '967f2436'
    """
    return sha256(b"carbon-anchor/v1/origin" + origin.encode()).digest()


def anchor_leaf(header: bytes) -> bytes:
    """Hash a header as a leaf of the anchor log.

    >>> len(anchor_leaf(bytes(324)))
    32
    """
    return sha256(b"\x00" + header).digest()
