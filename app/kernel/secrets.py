"""Secrets at rest (密钥): the key files, and the sealing of personal secrets under the KEK.

Files, one secret each, mode 0600: ``kek`` (32 bytes), ``subject`` (32 bytes, keys the hashes
of card and meter numbers), ``receipt`` and ``log`` (Ed25519 seeds), ``anchor`` (secp256k1).
``access/`` holds the Ed25519 seeds that sign access tokens, named so that the newest sorts last.
Development makes what is missing; production refuses to start without them.
"""

import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.kernel.durable import sync

ACCESS: Final = "access"
FIRST: Final = "0000"
"""Name of the access key that a new deployment is given."""
NAMES: Final = ("kek", "subject", "receipt", "log", "anchor")
SIZE_BYTES: Final = 32
NONCE_BYTES: Final = 12


class KeyMissing(Exception):  # noqa: N818 -- names a state, as refusals do
    """A key file is absent or of the wrong size, and this environment makes none."""


class KeyInUse(Exception):  # noqa: N818 -- likewise
    """A key cannot go yet: what it signed is still believed."""


class Keys:
    """The secrets of one deployment, read on first use and never logged."""

    def __init__(self, directory: Path, *, make_missing: bool) -> None:
        """Make absent files when ``make_missing``; read nothing yet."""
        self._directory = directory
        self._access: tuple[Sequence[str], dict[str, Ed25519PrivateKey]] = ((), {})
        if make_missing:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            (directory / ACCESS).mkdir(exist_ok=True, mode=0o700)
            for name in (*NAMES, f"{ACCESS}/{FIRST}"):
                _make(directory / name)
            sync(directory)

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

    @property
    def access(self) -> dict[str, Ed25519PrivateKey]:
        """Sign access tokens, by ``kid``, the newest last; see ``tanpu keys``.

        Read again once the folder lists other names, so that a rotation needs no restart.
        """
        names = access_names(self._directory)
        if not names:
            raise KeyMissing(f"{self._directory / ACCESS} holds no key; see `tanpu keys`")
        known, keys = self._access
        if names != known:
            seeds = [self._read(f"{ACCESS}/{name}") for name in names]
            made = [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]
            keys = {key_id(key): key for key in made}
            self._access = (names, keys)
        return keys

    def rotate_access(self) -> str:
        """Make a newer key, which signs from now on; the others still verify. Gives its ``kid``."""
        names = access_names(self._directory)
        following = f"{int(names[-1]) + 1:04d}" if names else FIRST
        _make(self._directory / ACCESS / following)
        return next(reversed(self.access))

    def retire_access(self, older_than: timedelta, *, at: datetime) -> Sequence[str]:
        """Remove every access key but the newest, once that has signed alone for ``older_than``.

        Raises:
            KeyInUse: The newest is younger: tokens that the others signed may still be in use.
        """
        *older, newest = access_names(self._directory)
        made_at = datetime.fromtimestamp((self._directory / ACCESS / newest).stat().st_mtime, UTC)
        if older and at < made_at + older_than:
            raise KeyInUse(f"the newest access key signs since {made_at:%Y-%m-%dT%H:%M:%SZ} only")
        gone = list(self.access)[:-1]
        for name in older:
            (self._directory / ACCESS / name).unlink()
        return gone

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

    def login_hash(self, kind: str, value: bytes) -> bytes:
        """Hash what people log in with, each kind apart; no provider's code has a slash."""
        return digest(self.subject, b"login/" + kind.encode() + b"\0" + value, sha256)

    def voucher_hash(self, kind: str, value: bytes) -> bytes:
        """Derive a voucher's key, and hash what is printed of it; each kind apart, as above."""
        return digest(self.subject, b"voucher/" + kind.encode() + b"\0" + value, sha256)

    def survey_hash(self, kind: str, value: bytes) -> bytes:
        """Derive a survey's address and its tickets, and hash those; each kind apart, as above."""
        return digest(self.subject, b"survey/" + kind.encode() + b"\0" + value, sha256)

    def provider_secret(self, provider: str) -> bytes:
        """Derive the secret that provider and platform share for evidence salts (R7)."""
        return digest(self.subject, f"evidence\0{provider}".encode(), sha256)


def access_names(directory: Path) -> Sequence[str]:
    """List the files of the access keys, in order of age; drafts begin with a dot."""
    folder = directory / ACCESS
    listed = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 -- asked by each request
    return sorted((name for name in listed if name.isdigit()), key=int)


def key_id(key: Ed25519PrivateKey) -> str:
    """Name a key by its public half, as ``kid``: the first 16 hex digits of its SHA-256."""
    return sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]


def written_key(key: Ed25519PrivateKey) -> str:
    """Write a key's public half as whoever checks a signature is given it: base64."""
    return b64encode(key.public_key().public_bytes_raw()).decode()


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
