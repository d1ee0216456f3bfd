"""The unprivileged user 非特权用户 under which PostgreSQL runs when we are root.

PostgreSQL refuses to run as root. An ordinary user needs nothing of this page. As root, the server
runs as the owner of its data directory, else as system user `tanpu` (made when the machine can
make one), else as `nobody`. Where that user cannot reach the files (a checkout below the closed
`/root`), nothing on the machine is opened up; the server keeps one ambient capability instead.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import HomeUnusable

_USER = "tanpu"
_FALLBACK = "nobody"
_CAPABILITIES = ((2, "dac_read_search"), (1, "dac_override"))  # capabilities(7), least first
_TRAVERSE_OTHERS = 0o001


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns the server's files, and what must stand before its command line."""

    uid: int
    gid: int
    prefix: tuple[str, ...]

    def give(self, directory: Path) -> None:
        """Make a directory of the server's own, closed to everybody else."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(directory, self.uid, self.gid)
        directory.chmod(0o700)


def owner_for(data: Path, program: Path) -> Owner:
    """Choose the user who runs `program` over `data`.

    Raises:
        HomeUnusable: root has no way to run the program as another user.
    """
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), ())
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise HomeUnusable(
            "PostgreSQL refuses to run as root and `setpriv` (package util-linux) is not here: "
            "start as an ordinary user. 数据库不能以 root 运行,请改用普通用户启动。"
        )
    uid, gid = _user(data)
    drop = (setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups")
    for capability in ("", *_available_capabilities()):
        keep = _keeping(capability) if capability else ()
        if not capability and not _open_to_others(data.parent):
            continue
        if _runs((*drop, *keep, "--", str(program))):
            return Owner(uid, gid, (*drop, *keep, "--"))
    raise HomeUnusable(
        f"User {pwd.getpwuid(uid).pw_name} cannot reach {program.parent} or {data.parent}: "
        "start as an ordinary user, or keep checkout and TANPU_HOME outside of closed folders. "
        "数据库用户无法访问该目录,请改用普通用户或换一个目录。"
    )


def _user(data: Path) -> tuple[int, int]:
    """Find the owner of existing data, else the system user, made on the way if possible."""
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    if not _known(_USER) and Path(useradd).exists():
        # Two starters may race for the lock of /etc/passwd; who loses finds the user or falls back.
        options = ("--system", "--no-create-home", "--shell", "/usr/sbin/nologin")
        subprocess.run([useradd, *options, _USER], check=False, capture_output=True)  # noqa: S603 -- fixed words
    entry = pwd.getpwnam(_USER if _known(_USER) else _FALLBACK)
    return entry.pw_uid, entry.pw_gid


def _known(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


def _open_to_others(directory: Path) -> bool:
    """Say whether a stranger may walk down to this directory."""
    places = [directory.resolve(), *directory.resolve().parents]
    return all(place.stat().st_mode & _TRAVERSE_OTHERS for place in places)


def _available_capabilities() -> list[str]:
    """List those of our capabilities that a container has left us."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    mask = int(bounding.split()[1], 16)
    return [name for bit, name in _CAPABILITIES if mask >> bit & 1]


def _keeping(capability: str) -> tuple[str, ...]:
    # access(2) drops the capabilities of a non-root caller unless the set-uid fix-up is off, and
    # initdb asks access(2) whether `postgres` stands beside it.
    return (
        "--securebits=+no_setuid_fixup",
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
    )


def _runs(command: tuple[str, ...]) -> bool:
    done = subprocess.run([*command, "--version"], check=False, capture_output=True)  # noqa: S603 -- our own program
    return done.returncode == 0
