"""Bounded logs 有界日志: each child's log and one older copy, never more than twice the limit.

The child writes straight into the file, so its log survives us. Bounding copies the file aside and
empties it in place, which is safe because the child appends: its next line lands at the beginning.
"""

import shutil
from pathlib import Path

LOG_BYTES_MAX = 10 << 20


def bound(log: Path, limit_bytes: int = LOG_BYTES_MAX) -> bool:
    """Move a log over its limit [bytes] to `<name>.1`, replacing the older copy; say if it was."""
    if not log.exists() or log.stat().st_size <= limit_bytes:
        return False
    older = log.with_name(log.name + ".1")
    with log.open("rb") as source, older.open("wb") as target:
        source.seek(-limit_bytes, 2)  # what came before is more than one copy may hold
        shutil.copyfileobj(source, target)
    with log.open("r+b") as emptied:
        emptied.truncate(0)
    return True
