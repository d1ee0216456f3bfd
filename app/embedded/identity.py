"""A process's identity 进程身份: the pid together with what no later process can share.

A pid alone is reused; pid, start time [clock ticks since boot] and boot id are not. Only a process
whose identity was written down before may be stopped by us. Reads `/proc`, hence Linux.
"""

from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_AFTER_NAME_START_TIME = 19  # proc(5): field 22, counted from 0 after the name in parentheses
_AFTER_NAME_STATE = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process, for ever."""

    pid: int
    started_ticks: int
    boot: str

    def alive(self) -> bool:
        """Say whether this very process still runs; a zombie does not."""
        return identity_of(self.pid) == self

    def write(self, path: Path) -> None:
        """Write it down so that a crash leaves the old record or the new one, never half."""
        staged = path.with_name(path.name + ".new")
        staged.write_text(f"{self.pid} {self.started_ticks} {self.boot}\n", encoding="ascii")
        staged.replace(path)


def identity_of(pid: int) -> Identity | None:
    """Look up the process that has this pid now; None when there is none, or only its zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[_AFTER_NAME_STATE] in {"Z", "X"}:
        return None
    boot = _BOOT_ID.read_text(encoding="ascii").strip()
    return Identity(pid, int(fields[_AFTER_NAME_START_TIME]), boot)


def recorded(path: Path) -> Identity | None:
    """Read an identity written before; None when there is none or it cannot be read."""
    try:
        pid, ticks, boot = path.read_text(encoding="ascii").split()
        return Identity(int(pid), int(ticks), boot)
    except (OSError, ValueError):
        return None


def running_in(directory: Path) -> list[int]:
    """List the processes whose working directory is `directory`: a server's own, by construction.

    PostgreSQL's children stay in its data directory, so orphans of a killed postmaster are found
    here although nobody wrote their pids down.
    """
    target = str(directory.resolve())
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            here = str((entry / "cwd").readlink())
        except OSError:
            continue
        if here == target and identity_of(int(entry.name)) is not None:
            found.append(int(entry.name))
    return found
