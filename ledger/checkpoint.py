"""The checkpoint: a signed note that names a tree (C2SP tlog-checkpoint, signed-note).

    <origin> ⏎ <size, decimal> ⏎ <root, base64> ⏎ ⏎ — <key name> <base64(key id ‖ signature)> ⏎

Extension lines are not used: our totals are in the header, which is a leaf of the anchor
log. Keys stay with the caller, who gives `sign` and `verify`.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from ledger.encoding import HASH_BYTES

ED25519 = 1
_KEY_ID_BYTES = 4
_BODY_LINES = 3
_SIGNATURE_MARK = "— "

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]
"""(signature, message) → whether the key made it."""


class Checkpoint(NamedTuple):
    """A tree, named."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """Write what is signed.

        >>> Checkpoint("o", 0, bytes(32)).body().splitlines()[:2]
        ['o', '0']
        """
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def key_id(name: str, public_key: bytes) -> bytes:
    """Give the four bytes that hint at an Ed25519 key.

    >>> len(key_id("log.example", bytes(32)))
    4
    """
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public_key).digest()[:_KEY_ID_BYTES]


def signed_note(checkpoint: Checkpoint, name: str, public_key: bytes, sign: Sign) -> str:
    """Write a checkpoint with one signature below it."""
    assert name, name
    assert not any(mark.isspace() or mark == "+" for mark in name), name
    body = checkpoint.body()
    packed = b64encode(key_id(name, public_key) + sign(body.encode())).decode()
    return f"{body}\n{_SIGNATURE_MARK}{name} {packed}\n"


def open_note(note: str, name: str, public_key: bytes, verify: Verify) -> Checkpoint:
    """Read a checkpoint that this key signed; other signatures are left alone.

    Raises:
        ValueError: It is malformed, or this key did not sign it.
    """
    body, blank, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) != _BODY_LINES or not note.endswith("\n"):
        raise ValueError("no signed checkpoint")
    wanted = f"{_SIGNATURE_MARK}{name} "
    for line in signatures.splitlines():
        if line.startswith(wanted):
            packed = b64decode(line.removeprefix(wanted), validate=True)
            hint, signature = packed[:_KEY_ID_BYTES], packed[_KEY_ID_BYTES:]
            if hint == key_id(name, public_key) and verify(signature, f"{body}\n".encode()):
                return _parsed(lines)
    raise ValueError(f"not signed by {name}")


def _parsed(lines: list[str]) -> Checkpoint:
    origin, size, root = lines
    checkpoint = Checkpoint(origin, int(size), b64decode(root, validate=True))
    if checkpoint.body() != "\n".join(lines) + "\n" or len(checkpoint.root) != HASH_BYTES:
        raise ValueError("not in canonical form")
    return checkpoint
