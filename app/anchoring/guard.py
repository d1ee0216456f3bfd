"""The signer guard (签名守卫): the last header that anything was signed for.

One line, ``epoch hash``, in a file that lies on another volume than the database and is never
restored together with it. It moves *before* the first signature over a header and only one
link at a time, so that a database which was rolled back, and would close the same epoch
differently, finds that out even while the chain is away.
"""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from app.anchoring.errors import DatabaseRolledBack, Equivocation
from app.anchoring.files import read_if_there, write_whole
from ledger.encoding import ZERO_HASH
from ledger.header import Header


class Mark(NamedTuple):
    """A header that was signed for; epoch 0 before the first."""

    epoch: int
    hash: bytes


NONE_SIGNED = Mark(0, ZERO_HASH)
HeaderOf = Callable[[int], Header]
"""Epoch → its header, from the database."""


class Guard:
    """The file, compared and swapped under a lock that all processes of the host share."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path

    def read(self) -> Mark | None:
        """Give the last mark; ``None`` if there never was one, or the file is gone."""
        text = read_if_there(self._path).decode("ascii")
        if not text:
            return None
        epoch, _, hash_ = text.strip().partition(" ")
        return Mark(int(epoch), bytes.fromhex(hash_))

    def admit(self, header: Header, header_of: HeaderOf, latest: int) -> None:
        """Let ``header`` be signed for: advance to it, or see that it lies behind the mark.

        Durable once it returns. Safe to call again, and from two processes at once.

        Args:
            header: What is about to be signed for.
            header_of: The database's other headers.
            latest: The database's last epoch.

        Raises:
            DatabaseRolledBack: The mark is ahead of the database.
            Equivocation: The database has another header where the mark is.
        """
        with self._locked():
            mark = self.read() or NONE_SIGNED
            self._check(mark, header_of, latest)
            for epoch in range(mark.epoch + 1, header.epoch + 1):
                following = header if epoch == header.epoch else header_of(epoch)
                if following.previous != mark.hash:
                    raise Equivocation(epoch=epoch, guard=mark.hash.hex())
                mark = Mark(epoch, following.hash())
                write_whole(self._path, f"{mark.epoch} {mark.hash.hex()}\n".encode("ascii"))

    def check(self, header_of: HeaderOf, latest: int) -> None:
        """Hold the database against the mark.

        Raises:
            DatabaseRolledBack: The mark is ahead of the database.
            Equivocation: The database has another header where the mark is.
        """
        self._check(self.read() or NONE_SIGNED, header_of, latest)

    def _check(self, mark: Mark, header_of: HeaderOf, latest: int) -> None:
        if mark.epoch > latest:
            raise DatabaseRolledBack(known=mark.epoch, database=latest, by="guard")
        if mark.epoch and header_of(mark.epoch).hash() != mark.hash:
            raise Equivocation(epoch=mark.epoch, guard=mark.hash.hex())

    @contextmanager
    def _locked(self) -> Generator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
