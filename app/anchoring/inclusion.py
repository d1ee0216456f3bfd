"""Where an upload is in the log (批次入账证明): what proves that its receipt was honoured.

For each act that counted at once: the entry as it was logged, its place, and the path to the root
of its epoch. An entry holds commitments only; the provider finds its own record's among them, and
what opens the citizen's side stays here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.activities import BatchUnknown
from app.anchoring.closing import header_of
from app.anchoring.leaves import Fact, entry_of, opening_of
from app.anchoring.publishing import tile_reader
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.providers import Provider
from ledger.accounts import FIRST_OWNER_ID
from ledger.encoding import Entry
from ledger.log import ReadNode, inclusion_path
from ledger.tiles import node_reader

_UPLOAD: Final = "select opened_at from upload where id = %s and provider = %s"
_PAGE: Final = """
select a.id, e.log_index, e.epoch, r.log_index, t.bucket, t.recorded_on, t.id, t.code, t.source,
       t.target, t.asset, t.amount, x.key, t.occurred_on, t.corrects, t.evidence,
       a.account, c.akey, s.sealed
  from activity a
  join transfer t on (t.bucket, t.recorded_on, t.id) = (a.bucket, a.recorded_on, a.id)
  join asset x on x.id = t.asset
  join account c on (c.bucket, c.id) = (a.bucket, a.account)
  left join account_secret s on (s.bucket, s.account) = (a.bucket, a.account)
  left join log_entry e on e.id = t.id
  left join log_entry r on r.id = t.corrects
 where a.upload = %(upload)s and a.recorded_on >= %(since)s and a.id > %(after)s
 order by a.id limit %(limit)s"""


@dataclass(frozen=True, slots=True)
class Included:
    """One act that counted, and where its entry is."""

    activity: UUID
    entry: Entry | None
    """None where the owner's openings were destroyed (R20): the leaf is still in the log."""
    ref: int
    log_index: int | None
    """None while it waits for the next epoch."""
    epoch: int | None
    path: Sequence[bytes]
    """To the root of that epoch's log."""


def included(
    session: Session,
    keys: Keys,
    folder: Path,
    sender: Provider,
    upload: UUID,
    *,
    after: UUID,
    limit: int,
) -> list[Included]:
    """Give where the acts of a provider's own upload are, in order of their ids.

    Raises:
        BatchUnknown: This provider has no such upload.
    """
    connection = driver(session)
    row = connection.execute(_UPLOAD, (upload, sender.id)).fetchone()
    if row is None:
        raise BatchUnknown
    opened_at: datetime = row[0]
    facts = {"upload": upload, "since": day_of(opened_at), "after": after, "limit": limit}
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_PAGE, facts).fetchall()
    logs = LogPaths(session, folder)
    return [_included(keys, logs, *row) for row in rows]


class LogPaths:
    """The log as each epoch left it; an epoch's header is read once."""

    def __init__(self, session: Session, folder: Path) -> None:
        """Read nothing yet; the log's tiles are in ``folder``."""
        self._session, self._read = session, tile_reader(session, folder)
        self._known: dict[int, tuple[int, ReadNode]] = {}

    def path(self, log_index: int, epoch: int) -> Sequence[bytes]:
        """Give the path from an entry to the root of its epoch's log."""
        if epoch not in self._known:
            size = header_of(self._session, epoch).log_size
            self._known[epoch] = size, node_reader(size, self._read)
        size, node = self._known[epoch]
        return inclusion_path(log_index, size, node)


def _included(
    keys: Keys,
    logs: LogPaths,
    activity: UUID,
    log_index: int | None,
    epoch: int | None,
    corrected: int | None,
    *row: Any,  # noqa: ANN401 -- the columns of a fact
) -> Included:
    fact = Fact._make(row)
    opening = opening_of(keys, fact)
    owned = max(fact.source or 0, fact.target or 0) >= FIRST_OWNER_ID
    entry = entry_of(fact, opening) if opening is not None or not owned else None
    path: Sequence[bytes] = ()
    if log_index is not None and epoch is not None:
        path = logs.path(log_index, epoch)
    ref = 0 if corrected is None else corrected + 1
    return Included(activity, entry, ref, log_index, epoch, path)
