"""Socket folders 套接字目录: where a unix socket fits, however long the data directory's path is.

The kernel allows 107 bytes for the whole path, and libpq takes a comma for the end of a host. A
home too deep, or with a comma or quotes in its name, gets a folder under `XDG_RUNTIME_DIR` or the
temporary directory instead, named by a hash of the home and closed to others.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from app.embedded.errors import HomeUnusable

PATH_BYTES_MAX = 107
_AWKWARD = frozenset(",\"'")


def socket_folder(preferred: Path, name: str, uid: int) -> Path:
    """Choose the folder for socket `name`: the preferred one if the path fits, else a short one.

    Args:
        preferred: a folder that exists and is closed to others.
        name: the file name of the socket.
        uid: the user who makes the socket, and whose the short folder must be.

    Raises:
        HomeUnusable: somebody else has taken the short folder's name.
    """
    fits = len(os.fsencode(preferred / name)) <= PATH_BYTES_MAX
    if fits and not _AWKWARD & set(str(preferred)):
        return preferred
    key = hashlib.sha256(os.fsencode(preferred.resolve())).hexdigest()[:16]
    folder = _root(uid) / f"tanpu-{key}"
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, -1)
    except FileExistsError:
        _refuse_unless_ours(folder, uid)
    return folder


def _root(uid: int) -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # A session's runtime folder is closed to other users, so it serves only its own user.
    if (
        runtime
        and uid == os.geteuid()
        and Path(runtime).is_dir()
        and len(runtime) < PATH_BYTES_MAX // 2
    ):
        return Path(runtime)
    temporary = Path(tempfile.gettempdir())
    return temporary if len(str(temporary)) < PATH_BYTES_MAX // 2 else Path("/tmp")  # noqa: S108 -- checked below


def _refuse_unless_ours(folder: Path, uid: int) -> None:
    found = folder.lstat()
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != uid
        or stat.S_IMODE(found.st_mode) & 0o077
    ):
        raise HomeUnusable(
            f"{folder} is in the way: it must be a folder of user {uid} closed to others. "
            f"请删除 {folder} 后重试。"
        )
