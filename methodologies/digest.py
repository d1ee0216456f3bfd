"""What proves a document: its canonical bytes, their SHA-256, and the append-only lock.

Canonical bytes are the file's own: UTF-8 without a mark, lines ended by LF. A catalogued file is
already so, and `sha256sum` of it gives the digest that the chain holds. ``methodologies.lock`` has
one line a published version, ``code version sha256``; a line is never changed or taken out.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

_TAG_PREFIX: Final = "carbon-anchor/v1/"
_VERSION_BYTES: Final = 4
Lock = dict[tuple[str, int], str]


class Republished(Exception):  # noqa: N818 -- a state, as house.md §3.8 names them
    """A published version would change: publish a new version instead (已发布版本不可修改)."""

    code = "methodology.republished"


def canonical_bytes(source: bytes) -> bytes:
    r"""Strip a byte order mark and the carriage returns of line ends.

    >>> canonical_bytes(b"\xef\xbb\xbfa = 1\r\n")
    b'a = 1\n'
    """
    return source.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")


def sha256(source: bytes) -> str:
    """Digest a document's canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical_bytes(source)).hexdigest()


def tag(name: str) -> bytes:
    """Give the 32 bytes that keep one kind of preimage apart from another (anchoring.md §2)."""
    return hashlib.sha256((_TAG_PREFIX + name).encode()).digest()


def methodology_key(code: str, version: int) -> bytes:
    """Give the key of a version in log entries: H(tag("methodology") ‖ code ‖ 0 ‖ u32).

    >>> methodology_key("SZ-METRO", 1).hex()[:16]
    'e70616e1a685e628'
    """
    assert "\0" not in code, code
    body = code.encode() + b"\0" + version.to_bytes(_VERSION_BYTES, "big")
    return hashlib.sha256(tag("methodology") + body).digest()


def parse_lock(text: str) -> Lock:
    r"""Read ``methodologies.lock``.

    >>> parse_lock("SZ-METRO 1 ab\n")
    {('SZ-METRO', 1): 'ab'}
    """
    lock: Lock = {}
    for line in text.splitlines():
        code, version, digest = line.split(" ")
        key = (code, int(version))
        assert key not in lock, f"{code} {version} is locked twice"
        lock[key] = digest
    return lock


def extend_lock(text: str, digests: Mapping[tuple[str, int], str]) -> str:
    """Add the versions that are new to the lock, after those that are there.

    Raises:
        Republished: A locked version has other bytes now, or is gone.
    """
    lock = parse_lock(text)
    for key, digest in lock.items():
        if digests.get(key) != digest:
            raise Republished(f"{key[0]} {key[1]}")
    return text + _lines((key, digests[key]) for key in sorted(digests) if key not in lock)


def _lines(entries: Iterable[tuple[tuple[str, int], str]]) -> str:
    return "".join(f"{code} {version} {digest}\n" for (code, version), digest in entries)
