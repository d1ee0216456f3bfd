"""Live changes (实时更新): server-sent events of one citizen's balance and anchoring.

An event says what *is*, not what happened: its id names the state that it shows, so a reader who
comes back with ``Last-Event-ID`` is told what differs and can miss nothing. A stream looks every
two seconds, from a worker thread and with a connection that it gives back at once; between two
looks it holds neither. It ends with the access token that opened it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.quantities import ReductionOut, mass
from app.wallet.errors import TooManyStreams
from app.wallet.rules import AnchorState
from app.wallet.schemas import FROZEN

LOOK_EVERY_S: Final = 2.0
RETRY_MS: Final = 3000
PER_PERSON: Final = 3
"""A phone, a browser, and one that has not noticed yet that it is gone."""
IN_ALL: Final = 256
"""A process's share: at one look every two seconds and a millisecond each, an eighth of a core."""

_BALANCE: Final = """
select coalesce(sum(b.credits + b.debits), 0)::bigint,
       coalesce(sum(b.credits - b.debits) filter (where x.id & 7 in (1, 2)), 0)::bigint,
       coalesce(sum(b.credits - b.debits) filter (where x.id & 7 = 3 and b.account & 1 = 0
                                                    and x.expires >= %s), 0)::bigint
  from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = any(%s)"""
_ANCHORED: Final = """
select a.ver, a.entries, a.epoch_from, s.epoch is not null, s.final_at is not null
  from account_anchor a left join anchored s on s.epoch = a.epoch_from
 where a.owner = %s"""


class Pulse(NamedTuple):
    """What a stream compares: two states with their names, and what they say."""

    balance_id: str
    reduction_mg: int
    points: int
    anchoring_id: str
    entries: int
    epoch: int
    state: AnchorState


class BalanceOut(BaseModel):
    """What is held now; ``GET /v1/me/wallet`` has it by class."""

    model_config = FROZEN

    reduction: ReductionOut
    points: int


class AnchoringOut(BaseModel):
    """How far the newest anchored state of the account has come."""

    model_config = FROZEN

    epoch: int
    entries: int
    state: AnchorState


class EndOut(BaseModel):
    """Why a stream ends; come back with the last id, and a fresh token where it has ended."""

    model_config = FROZEN

    reason: str


def pulse_of(session: Session, bucket: int, owner: int, *, today: date) -> Pulse:
    """Look once: what the balance and the anchoring of an owner are now; two statements."""
    connection = driver(session)
    balance = connection.execute(_BALANCE, (today, bucket, [owner, owner | 1])).fetchone()
    assert balance is not None
    turnover, reduction_mg, points = balance
    found = connection.execute(_ANCHORED, (owner,)).fetchone()
    version, entries, epoch, is_anchored, is_final = found or (0, 0, 0, False, False)
    state: AnchorState = "in_epoch" if epoch else "none"
    if is_anchored:
        state = "final" if is_final else "anchored"
    # Turnover never falls, and a class past its day changes the points without a transfer.
    return Pulse(
        f"{turnover}.{points}", reduction_mg, points, f"{version}.{state}", entries, epoch, state
    )


@dataclass(slots=True)
class LiveStreams:
    """The open streams of this process, counted, and ended when it stops."""

    per_person: int = PER_PERSON
    in_all: int = IN_ALL
    look_every_s: float = LOOK_EVERY_S
    _open: Counter[UUID] = field(default_factory=Counter[UUID])
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def enter(self, who: UUID) -> None:
        """Count a stream in.

        Raises:
            TooManyStreams: This person has as many as one may, or this process as many as it can.
        """
        if self._open[who] >= self.per_person or self._open.total() >= self.in_all:
            raise TooManyStreams(per_person=self.per_person)
        self._open[who] += 1

    def leave(self, who: UUID) -> None:
        """Count a stream out."""
        self._open[who] -= 1
        if not self._open[who]:
            del self._open[who]

    def stop(self) -> None:
        """End every stream at its next breath; the server waits for them before it stops."""
        self._stopping.set()

    async def follow(
        self, look: Callable[[], Pulse], *, known: str | None, until: datetime
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield what differs from ``known``, and then every change, until the time is over.

        A database that is away ends the stream: the reader's own retry is the way back.
        """
        yield ServerSentEvent(comment="live 实时更新", retry=RETRY_MS)
        balance, _, anchoring = (known or "").partition("/")
        while now() < until and not self._stopping.is_set():
            try:
                seen = await run_in_threadpool(look)
            except (DBAPIError, PoolTimeout):
                yield _end("unavailable")
                return
            for change in _differing(seen, balance, anchoring):
                yield change
            balance, anchoring = seen.balance_id, seen.anchoring_id
            await self._breathe(min(self.look_every_s, (until - now()).total_seconds()))
        yield _end("stopping" if self._stopping.is_set() else "expired")

    async def _breathe(self, wait_s: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), max(wait_s, 0))
        except TimeoutError:
            return


def _differing(seen: Pulse, balance: str, anchoring: str) -> list[ServerSentEvent]:
    """Say what a reader who knows these states does not know; the last id names both."""
    made: list[ServerSentEvent] = []
    if seen.balance_id != balance:
        data = BalanceOut(reduction=mass(seen.reduction_mg), points=seen.points)
        made.append(
            ServerSentEvent(event="balance", data=data, id=f"{seen.balance_id}/{anchoring}")
        )
    if seen.anchoring_id != anchoring:
        told = AnchoringOut(epoch=seen.epoch, entries=seen.entries, state=seen.state)
        made.append(
            ServerSentEvent(
                event="anchoring", data=told, id=f"{seen.balance_id}/{seen.anchoring_id}"
            )
        )
    return made


def _end(reason: str) -> ServerSentEvent:
    return ServerSentEvent(event="end", data=EndOut(reason=reason))
