"""Openings (开启): the owners' secrets, from which every salt is derived again."""

from typing import Final

from cryptography.exceptions import InvalidTag

from app.anchoring.leaves import Opening
from app.kernel.secrets import Keys

KEPT: Final = 50_000
"""Opened secrets in memory at a time."""


class Openings:
    """Opens sealed secrets under the KEK, and keeps the last ones."""

    def __init__(self, keys: Keys) -> None:
        """Open nothing yet."""
        self._keys = keys
        self._kept: dict[tuple[int, bytes], bytes | None] = {}

    def secret(self, owner: int, sealed: bytes | None) -> bytes | None:
        """Give an owner's secret; ``None`` if it is gone, or was sealed for somebody else."""
        if sealed is None:
            return None
        try:
            return self._kept[owner, sealed]
        except KeyError:
            pass
        if len(self._kept) >= KEPT:
            self._kept.clear()
        try:
            secret = self._keys.open(sealed, owner=owner)
        except (InvalidTag, ValueError):
            secret = None
        self._kept[owner, sealed] = secret
        return secret

    def opening(
        self, owner: int | None, akey: bytes | None, sealed: bytes | None
    ) -> Opening | None:
        """Give what opens an owner's side of an entry, if all of it is there."""
        if owner is None or akey is None:
            return None
        secret = self.secret(owner, sealed)
        return None if secret is None else Opening(akey, secret)
