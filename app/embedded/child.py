"""A child process 子进程: a server started by us, its record on disk, and its end.

Four promises. It runs in a session of its own, so that Ctrl-C reaches us first and we stop children
in order. Its identity is on disk before anybody waits for it. The kernel stops it when its parent
dies (where `setpriv` is at hand, which is util-linux, thus every Linux). And a record left by a
killed parent is enough for the next start to stop what it left behind.
The kernel's signal fires when the *thread* that started the child ends: start from the main thread.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import BinaryMissing, ChildFailed
from app.embedded.identity import identity_of, recorded

_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Order:
    """What to start and how it is stopped."""

    name: str
    command: tuple[str, ...]
    record: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 20.0
    prefix: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


class Child:
    """One running server."""

    def __init__(self, order: Order) -> None:
        """Start it; its output goes to the end of its log."""
        self.order = order
        self._log_from = order.log.stat().st_size if order.log.exists() else 0
        log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own command, no shell
                # A change of user clears the parent-death signal, so the prefix comes before it.
                [*order.prefix, *_dying_with_us(order.stop_signal), *order.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={**os.environ, **dict(order.environment)},
                start_new_session=True,
            )
        except OSError as error:
            raise BinaryMissing(f"{order.name}: {error}") from error
        finally:
            os.close(log)
        identity = identity_of(self._process.pid)
        if identity is not None:
            identity.write(order.record)

    @property
    def pid(self) -> int:
        """Name the process."""
        return self._process.pid

    def ended(self) -> int | None:
        """Give the exit status once it has ended."""
        return self._process.poll()

    def said(self) -> str:
        """Give what it wrote since this start."""
        with self.order.log.open("rb") as log:
            log.seek(min(self._log_from, self.order.log.stat().st_size))
            return log.read(64 * 1024).decode("utf-8", "replace")

    def failure(self, what: str) -> ChildFailed:
        """Word a refusal that ends with the child's own last lines."""
        last = "\n".join(self.said().splitlines()[-6:])
        return ChildFailed(
            f"{self.order.name} {what}; its log 日志: {self.order.log}"
            + (f"\n{last}" if last else "")
        )

    def stop(self) -> None:
        """Ask, wait, insist; and forget the record only when it is gone."""
        if self._process.poll() is None:
            self._process.send_signal(self.order.stop_signal)
            try:
                self._process.wait(self.order.grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.order.record.unlink(missing_ok=True)


def stop_leftover(record: Path, stop_signal: signal.Signals, grace_s: float) -> bool:
    """Stop the child that an earlier owner left behind, if the record proves it ours.

    Returns whether there was one.
    """
    identity = recorded(record)
    found = identity is not None and identity.alive()
    if identity is not None and found:
        for attempt, patience_s in ((stop_signal, grace_s), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(identity.pid, attempt)
            until = time.monotonic() + patience_s
            while identity.alive() and time.monotonic() < until:
                time.sleep(_POLL_S)
            if not identity.alive():
                break
    record.unlink(missing_ok=True)
    return found


def _dying_with_us(stop_signal: signal.Signals) -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    return (setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--")
