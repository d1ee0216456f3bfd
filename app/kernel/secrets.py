"""Secrets at rest (密钥): the key files, and the sealing of personal secrets under the KEK.

Files, one secret each, mode 0600: ``kek`` (32 bytes), ``subject`` (32 bytes, keys the hashes
of card and meter numbers), ``receipt`` and ``log`` (Ed25519 seeds), ``anchor`` (secp256k1).
``access/`` holds the Ed25519 seeds that sign access tokens, named so that the newest sorts last.
Development makes what is missing; production refuses to start without them.
"""

import os
import secrets
import threading
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ACCESS: Final = "access"
FIRST: Final = "0000"
"""Name of the access key that a new deployment is given."""
NAMES: Final = ("kek", "subject", "receipt", "log", "anchor")
SIZE_BYTES: Final = 32
NONCE_BYTES: Final = 12


class KeyMissing(Exception):  # noqa: N818 -- names a state, as refusals do
    """A key file is absent or of the wrong size, and this environment makes none."""


class Keys:
    """The secrets of one deployment, read on first use and never logged."""

    def __init__(self, directory: Path, *, make_missing: bool) -> None:
        """Make absent files when ``make_missing``; read nothing yet."""
        self._directory = directory
        if make_missing:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            (directory / ACCESS).mkdir(exist_ok=True, mode=0o700)
            for name in (*NAMES, f"{ACCESS}/{FIRST}"):
                _make(directory / name)
            folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(folder)
            os.close(folder)

    def __repr__(self) -> str:
        """Show where, never what."""
        return f"Keys({str(self._directory)!r})"

    def _read(self, name: str) -> bytes:
        path = self._directory / name
        value = path.read_bytes() if path.exists() else b""
        if len(value) != SIZE_BYTES:
            raise KeyMissing(f"{path} must hold {SIZE_BYTES} bytes; see `tanpu keys`")
        return value

    @cached_property
    def _kek(self) -> AESGCM:
        return AESGCM(self._read("kek"))

    @cached_property
    def subject(self) -> bytes:
        """Key of the hashes that stand for card, meter and account numbers."""
        return self._read("subject")

    @cached_property
    def receipt(self) -> Ed25519PrivateKey:
        """Signs ingest receipts."""
        return Ed25519PrivateKey.from_private_bytes(self._read("receipt"))

    @cached_property
    def log(self) -> Ed25519PrivateKey:
        """Signs checkpoints of the anchor log."""
        return Ed25519PrivateKey.from_private_bytes(self._read("log"))

    @cached_property
    def anchor(self) -> bytes:
        """Private key of the account that submits headers to the chain."""
        return self._read("anchor")

    @cached_property
    def access(self) -> Mapping[str, Ed25519PrivateKey]:
        """Sign access tokens, by ``kid``, the newest last; see ``tanpu keys``."""
        names = sorted(path.name for path in (self._directory / ACCESS).glob("[0-9]*"))
        if not names:
            raise KeyMissing(f"{self._directory / ACCESS} holds no key; see `tanpu keys`")
        made = [Ed25519PrivateKey.from_private_bytes(self._read(f"{ACCESS}/{n}")) for n in names]
        return {key_id(key): key for key in made}

    def seal(self, secret: bytes, *, owner: int) -> bytes:
        """Encrypt an owner's secret under the KEK, bound to that owner."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._kek.encrypt(nonce, secret, owner.to_bytes(8, "big"))

    def open(self, sealed: bytes, *, owner: int) -> bytes:
        """Decrypt what :meth:`seal` made for this owner.

        Raises:
            cryptography.exceptions.InvalidTag: Another owner's, or changed.
        """
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return self._kek.decrypt(nonce, body, owner.to_bytes(8, "big"))

    def subject_hash(self, provider: str, number: str) -> bytes:
        """Hash a card, meter or account number so that nobody without the key can guess it."""
        return digest(self.subject, f"{provider}\0{number}".encode(), sha256)

    def provider_secret(self, provider: str) -> bytes:
        """Derive the secret that provider and platform share for evidence salts (R7)."""
        return digest(self.subject, f"evidence\0{provider}".encode(), sha256)


def key_id(key: Ed25519PrivateKey) -> str:
    """Name a key by its public half, as ``kid``: the first 16 hex digits of its SHA-256."""
    return sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]


def _make(path: Path) -> None:
    """Write a fresh secret, whole or not at all; whoever links first wins."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123 -- private from its first moment
        out.write(secrets.token_bytes(SIZE_BYTES))
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
