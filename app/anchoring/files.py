"""Files that are whole or absent (整文件): written beside, made durable, then renamed."""

import os
import threading
from pathlib import Path

from app.kernel.durable import sync


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` durably; a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    with draft.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
    sync(path.parent)


def read_if_there(path: Path) -> bytes:
    """Give a file's bytes, none if it does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
