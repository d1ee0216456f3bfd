"""The notary (公证): what closing, publishing and submitting have in common, and the tick.

The tick has no branch for repair. An epoch is durable before the chain hears of it, and the
chain is asked before it is told; so the way through after a crash is the ordinary way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from app.anchoring.chain import Chain
from app.anchoring.closing import close_epoch, is_due, last_epoch
from app.anchoring.finality import Finality
from app.anchoring.guard import Guard
from app.anchoring.publishing import publish, publish_headers
from app.anchoring.sealing import Contents, Digests, Methodologies
from app.anchoring.submitting import Submitted, submit
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from ledger.header import Header

_STATUS = """
select (select count(*) from log_pending),
       (select min(c.epoch) from epoch_cut c
         where not exists (select from epoch e where e.epoch = c.epoch)),
       (select count(*) from anchored),
       (select count(*) from anchored where final_at is not null),
       (select coalesce(max(log_size), 0) from epoch)"""


class Status(NamedTuple):
    """Where anchoring stands, from the database alone."""

    epoch: int
    """The last closed one."""
    closing: int | None
    """The one that is half closed."""
    pending: int
    """Entries that no closed epoch has yet."""
    anchored: int
    """Epochs that were last seen on the chain."""
    final: int
    """Of those, final ones."""
    log_size: int
    guard: int
    """The last epoch that anything was signed for."""


def no_digests(_session: Session) -> Mapping[str, bytes]:
    """Add nothing to ``aux``."""
    return {}


@dataclass(frozen=True, slots=True)
class Notary:
    """Closes, publishes and submits the epochs of one ledger."""

    db: Database
    """Connected as ``tanpu_worker``."""
    keys: Keys
    guard: Guard
    folder: Path
    """Where what the public may fetch is written."""
    origin: str
    methodologies: Methodologies
    finality: Finality
    digests: Digests = field(default=no_digests)
    """What other domains put into ``aux``, by registered name."""

    def tick(self, connect: Callable[[], Chain], *, at: datetime) -> Submitted:
        """Take every step that is due.

        Raises:
            ChainUnavailable: Everything before the chain is done; the next tick goes on.
            Refusal: Somebody must look before work goes on (``app.anchoring.errors``).
        """
        if self.db.read(is_due, at=at):
            self.close(at=at)
        self.publish()
        return self.submit(connect(), at=at)

    def close(self, *, at: datetime) -> Header | None:
        """Close an epoch now; ``None`` if nothing is pending."""
        contents = Contents(self.origin, self.methodologies, self.digests)
        return close_epoch(self.db, self.keys, contents, at=at)

    def publish(self, *, again: bool = False) -> int:
        """Write tiles and checkpoint of what was closed; give how many epochs that were."""
        return publish(self.db, self.keys, self.guard, self.folder, self.origin, again=again)

    def submit(self, chain: Chain, *, at: datetime, new_chain: bool = False) -> Submitted:
        """Bring the chain up to the last closed epoch, and the list of anchors after it."""
        done = submit(self.db, chain, self.guard, self.finality, at=at, new_chain=new_chain)
        publish_headers(self.db, self.folder)
        return done

    def status(self) -> Status:
        """Say where anchoring stands; asks no chain."""
        mark = self.guard.read()
        return self.db.read(_status, guard=mark.epoch if mark else 0)


def _status(session: Session, *, guard: int) -> Status:
    pending, closing, anchored, final, log_size = driver(session).execute(_STATUS).fetchall()[0]
    epoch = last_epoch(session)
    return Status(epoch, closing, pending, anchored, final, log_size, guard)
