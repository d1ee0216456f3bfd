"""A wire across every effect (绊线): commits, sends and file renames, counted as they pass.

It crashes at the n-th of them, before it (the effect is lost) or after it (it landed, and nobody
was told). Nobody lists the steps by hand, so a new step is covered on the day it is written.
"""

import os
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import pytest

from app.anchoring import Sender
from app.kernel.db import APP_ROLE, Database

P = ParamSpec("P")
R = TypeVar("R")


class Crash(BaseException):
    """The process is gone: nothing catches this but the test."""


class Gone(Exception):  # noqa: N818 -- a crash, as far as a served request can show one
    """The request ended without an answer."""


def unanswered(effect: Callable[P, R]) -> Callable[P, R]:
    """Let a crash end the request and not the server's thread, which the test needs again."""

    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return effect(*args, **kwargs)
        except Crash as error:
            raise Gone from error

    return tried


class Tripwire:
    """Counts effects while it is strung."""

    def __init__(self, crash_at: int = 0, *, landed: bool = False) -> None:
        """Crash at the effect of that number, counted from 1; at none if it is 0."""
        self.passed = 0
        self._crash_at = crash_at
        self._landed = landed

    def wrap(self, effect: Callable[P, R]) -> Callable[P, R]:
        """Lay the wire across one effect."""

        def tripped(*args: P.args, **kwargs: P.kwargs) -> R:
            self.passed += 1
            if self.passed != self._crash_at:
                return effect(*args, **kwargs)
            if self._landed:
                effect(*args, **kwargs)
            raise Crash(self.passed)

        return tripped

    def wrap_awaited(self, effect: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        """Lay it across one that the server's loop awaits: the request ends, and not the loop."""

        async def tripped(*args: P.args, **kwargs: P.kwargs) -> R:
            self.passed += 1
            if self.passed != self._crash_at:
                return await effect(*args, **kwargs)
            if self._landed:
                await effect(*args, **kwargs)
            raise Gone

        return tripped

    @contextmanager
    def across(self, db: Database, chain: Sender) -> Generator[None]:
        """String the wire across a database's commits, a chain's sends, and all renames."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(db, "transact", self.wrap(db.transact))
            patched.setattr(chain, "send", self.wrap(chain.send))
            patched.setattr(os, "replace", self.wrap(os.replace))
            yield


def crossing(
    url: str,
    at: int,
    deed: Callable[[Database], object],
    *,
    landed: bool,
    role: str = APP_ROLE,
) -> int:
    """Do a deed on a database of its own with the wire across its commits; say how many passed."""
    wire, database = Tripwire(at, landed=landed), Database(url, role=role)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "transact", wire.wrap(database.transact))
        try:
            deed(database)
        except Crash:
            assert at
        else:
            assert not at
        finally:
            database.dispose()
    return wire.passed
