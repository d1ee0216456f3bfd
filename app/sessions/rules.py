"""What a refresh token that is shown leads to (刷新规则): a successor, the same one, or the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

GRACE: Final = timedelta(seconds=30)
"""For how long a token that was exchanged gives the same successor again: a lost reply, retried."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lives, unused and at all."""

    idle: timedelta
    whole: timedelta


LIFETIMES: Final[Mapping[str, Lifetimes]] = {
    # A month at most between two codes to the phone; a phone lost for two weeks is forgotten.
    "citizen": Lifetimes(timedelta(days=14), timedelta(days=30)),
    # A working day, and a desk that somebody walked away from.
    "clerk": Lifetimes(timedelta(minutes=30), timedelta(hours=12)),
    "merchant": Lifetimes(timedelta(minutes=30), timedelta(hours=12)),
    "organisation": Lifetimes(timedelta(minutes=30), timedelta(hours=12)),
}
"""By kind of holder; machines have none."""


class Step(StrEnum):
    """What becomes of a session when one of its tokens is shown."""

    ROTATED = "rotated"
    REPEATED = "repeated"
    REPLAYED = "replayed"
    """A token older than the grace allows: somebody has a copy, and nobody knows who."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class State:
    """A session as it is before a token is shown."""

    kind: str
    opened_at: datetime
    ends_at: datetime
    current: bytes
    previous: bytes | None
    rotated_at: datetime | None
    closed_at: datetime | None

    @property
    def seen_at(self) -> datetime:
        """When it was last refreshed, or else opened."""
        return self.rotated_at or self.opened_at


def is_over(state: State, at: datetime) -> bool:
    """Say whether a session was closed, or has ended by itself."""
    idle_until = state.seen_at + LIFETIMES[state.kind].idle
    return state.closed_at is not None or at >= min(state.ends_at, idle_until)


def step(state: State, shown: bytes, at: datetime) -> Step:
    """Decide on a token by its hash; the caller has made sure that it was one of this session's."""
    if is_over(state, at):
        return Step.ENDED
    if shown == state.current:
        return Step.ROTATED
    if shown == state.previous and at < state.seen_at + GRACE:
        return Step.REPEATED
    return Step.REPLAYED
