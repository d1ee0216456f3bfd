"""Processes as the kernel tells them (进程): a tree by parents, and who of it is still there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

TANPU = Path(sys.executable).with_name("tanpu")


class Process(NamedTuple):
    """One process, told apart from a later one with its number by its start."""

    pid: int
    started: str


def tree_of(root: int) -> set[Process]:
    """Give a process and everything that descends from it."""
    parents: dict[int, list[int]] = {}
    starts: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or (fields := _stat(int(entry.name))) is None:
            continue
        starts[int(entry.name)] = fields[19]
        parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, due = set[Process](), [root]
    while due:
        pid = due.pop()
        if pid in starts:
            found.add(Process(pid, starts[pid]))
        due += parents.get(pid, [])
    return found


def alive(processes: set[Process]) -> set[Process]:
    """Keep those that still run; a dead one that nobody has waited for does not."""
    return {
        one
        for one in processes
        if (fields := _stat(one.pid)) is not None and fields[19] == one.started and fields[0] != "Z"
    }


def gone(processes: set[Process], *, within_s: float = 20) -> bool:
    """Say whether all of them end in time."""
    until = time.monotonic() + within_s
    while alive(processes) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(processes)


def kill_all(processes: set[Process]) -> None:
    """End them as a power cut does."""
    for one in alive(processes):
        try:
            os.kill(one.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def environment(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of a machine where nothing is configured but the home.

    Bytecode is kept outside of the tree, as an installed Tanpu keeps it: a start is then not the
    compilation of every library.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "TANPU_HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(Path(home).parent / "bytecode"),
        "COLUMNS": "200",
        **more,
    }


def tanpu(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [str(TANPU), *words],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _stat(pid: int) -> list[str] | None:
    """Give the fields of /proc/PID/stat after the name: state, parent, …, start at 19."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
