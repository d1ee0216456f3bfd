"""PostgreSQL's settings 数据库参数 for a city on one machine, and for a test.

Durability is the same in both: `fsync`, `full_page_writes`, `synchronous_commit` and page checksums
stay on. What differs is memory and write-ahead log, bounded by what the machine has.
"""

import os
import shutil
from pathlib import Path
from typing import Literal

_MIB = 1 << 20
_GIB = 1 << 30
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def settings(tune: Literal["city", "test"], data_volume: Path, *, fsync: bool) -> dict[str, str]:
    """Give every setting that differs from PostgreSQL's own default.

    Args:
        tune: `city` takes a quarter of the memory, up to 4 GiB; `test` takes little.
        data_volume: a folder on the disk that holds the data.
        fsync: whether a commit waits for the disk; off only in tests that say so.
    """
    durable = "on" if fsync else "off"
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %a ",
        "fsync": durable,
        "full_page_writes": durable,
        "synchronous_commit": durable,
        # The wheel has pglz alone. Pages of random keys do not shrink under it, and after a
        # checkpoint it made an act twice as dear (docs/performance.md, growth of cost).
        "wal_compression": "off",
        "jit": "off",
        "random_page_cost": "1.1",
        "max_connections": "100",
        **(_city(data_volume) if tune == "city" else _TEST),
    }


_TEST = {"shared_buffers": "128MB", "max_wal_size": "1GB"}


def _city(data_volume: Path) -> dict[str, str]:
    shared = min(max(memory_bytes() // 4, 128 * _MIB), 4 * _GIB)
    # The log may fill a quarter of what is free, never the disk: a full one stops the server.
    log = min(max(shutil.disk_usage(data_volume).free // 4, _GIB), 8 * _GIB)
    return {
        "shared_buffers": f"{shared // _MIB}MB",
        "effective_cache_size": f"{max(memory_bytes() // 2, 256 * _MIB) // _MIB}MB",
        "max_wal_size": f"{log // _MIB}MB",
        "checkpoint_timeout": "15min",
    }


def memory_bytes() -> int:
    """Give the memory that this process may count on [bytes]: the machine's, or its container's."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(machine, int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return machine
