"""The data directory 数据目录: where everything embedded lives, and the lock of its one owner.

Layout below `TANPU_HOME` (default `.tanpu/`):
    postgres/   the cluster            chain/   the chain's state and port
    run/        locks, pids, sockets   logs/    one bounded log a child
Closed to other users. Run by root, the top is passable (not readable) so that PostgreSQL's user
reaches its own folder.
"""

import fcntl
import os
import time
from pathlib import Path

from app.embedded.errors import HomeOwned, HomeUnusable

_LOCK_TRIES = 10
_LOCK_PAUSE_S = 0.01
FOLDERS = ("run", "logs", "chain")


def prepare(home: Path) -> None:
    """Make the layout, or take it as it is.

    Raises:
        HomeUnusable: it cannot be made or written by this user.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in FOLDERS:
            (home / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(
            f"{home} cannot be used ({error.strerror}): choose another TANPU_HOME or its owner. "
            "数据目录不可用,请更换 TANPU_HOME 或用户。"
        ) from error


class Ownership:
    """An exclusive hold on one directory, let go by the kernel however its owner ends."""

    def __init__(self, path: Path) -> None:
        """Name the lock file; nothing is held yet."""
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Become the owner.

        Raises:
            HomeOwned: somebody else is; the message names the process.
        """
        assert self._descriptor is None, "taken twice by one owner"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(descriptor):
            owner = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise HomeOwned(
                f"{self._path.parents[1]} is already run by process {owner}: stop it first, "
                f"or choose another TANPU_HOME. 该数据目录正由进程 {owner} 使用。"
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Stop being the owner; harmless when one is not."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int) -> bool:
    for _ in range(_LOCK_TRIES):  # `owner_of` of some other process holds it for a blink
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return True
    return False


def owner_of(lock: Path) -> int | None:
    """Name the process that holds a lock now; None when nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return int(os.read(descriptor, 32) or b"0")
    else:
        return None
    finally:
        os.close(descriptor)
