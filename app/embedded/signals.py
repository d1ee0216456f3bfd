"""Ending in order 有序退出: a stop request becomes an exception, so that every `with` block closes.

Python ends at once on SIGTERM and SIGHUP, without closing anything. While children run these raise
`SystemExit` instead, as Ctrl-C raises `KeyboardInterrupt`; and while they are being stopped,
further requests are ignored, since the answer is on its way.
"""

import signal
import threading
from types import FrameType

_REQUESTS = (signal.SIGTERM, signal.SIGHUP)
_ALL = (*_REQUESTS, signal.SIGINT)


class OrderlyEnd:
    """The signal dispositions of a process that has children to stop."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._before: dict[signal.Signals, object] = {}

    def begin(self) -> None:
        """Turn stop requests into `SystemExit`; only the main thread can, elsewhere do nothing."""
        if threading.current_thread() is threading.main_thread():
            for request in _ALL:
                self._before[request] = signal.getsignal(request)
            for request in _REQUESTS:
                signal.signal(request, _leave)

    def hold(self) -> None:
        """Ignore further stop requests."""
        for request in self._before:
            signal.signal(request, signal.SIG_IGN)

    def restore(self) -> None:
        """Put back what was there before."""
        for request, before in self._before.items():
            if callable(before) or isinstance(before, int):
                signal.signal(request, before)
        self._before.clear()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
