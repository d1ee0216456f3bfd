"""What the chain is known to hold of the library (方法学上链状态)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from app.catalogue.library import Key, digests
from app.kernel.db import driver

_SEEN: Final = "select code, version, sha256 from methodology_anchor where registry = %s"
_NOTE: Final = """
insert into methodology_anchor (code, version, sha256, registry, seen_at)
values (%s, %s, %s, %s, %s) on conflict do nothing"""
_ANCHORS: Final = """
select code, version, registry, seen_at from methodology_anchor order by seen_at"""


class Anchor(NamedTuple):
    """Where a version's digest was seen on the chain, and when first."""

    registry: str
    seen_at: datetime


def unanchored(session: Session, registry: str) -> dict[Key, bytes]:
    """Give the digests that were not yet seen in the registry at this address."""
    seen = {row[:2] for row in driver(session).execute(_SEEN, (registry,)).fetchall()}
    return {key: digest for key, digest in digests(session).items() if key not in seen}


def note_anchored(
    session: Session, registry: str, found: Mapping[Key, bytes], *, at: datetime
) -> None:
    """Note that these digests are in the registry. Idempotent."""
    rows = [(code, version, sha256, registry, at) for (code, version), sha256 in found.items()]
    with driver(session).cursor() as cursor:
        cursor.executemany(_NOTE, rows)


def anchors(session: Session) -> dict[Key, Anchor]:
    """Give where each version was seen last."""
    return {row[:2]: Anchor(*row[2:]) for row in driver(session).execute(_ANCHORS).fetchall()}
