"""What an erasure asks of the log (删除与存证): whether all of an owner is final, and to let go.

Once nothing of an owner waits any more and the last of it is final, its salts are needed by
nobody but itself. Its leaf stays as it is, in its cell, and says of nobody whose it was.
"""

from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver

_NOTED: Final = """
select e.epoch, e.log_index, e.leaf, p.hash
  from log_entry e
  join epoch p on p.epoch = e.epoch
  join anchored a on a.epoch = e.epoch and a.final_at is not null
 where e.id = %s"""
# One statement, hence one snapshot: a close that moves rows from the queue is seen on one side.
_WAITING: Final = """
select exists (
         select from log_pending q
           join transfer t on (t.bucket, t.recorded_on, t.id) = (q.bucket, q.recorded_on, q.id)
          where q.bucket = %(bucket)s and greatest(t.source, t.target) & ~1::int8 = %(owner)s)
    or exists (
         select from log_pending q
           join log_note n on (n.bucket, n.recorded_on, n.id) = (q.bucket, q.recorded_on, q.id)
          where q.bucket = %(bucket)s and n.account = %(owner)s)
    or exists (select from epoch_staging where owner = %(owner)s)
    or exists (
         select from epoch_staging s
           join log_note n on (n.bucket, n.recorded_on, n.id) = (s.bucket, s.recorded_on, s.id)
          where n.account = %(owner)s)"""
_LAST: Final = """
select a.final_at is not null
  from log_entry e left join anchored a on a.epoch = e.epoch
 where e.owner = %s order by e.log_index desc limit 1"""
_LET_GO: Final = "update account_anchor set owner = null where owner = %s"


class Sealed(NamedTuple):
    """Where a note lies in the log, in an epoch that is final."""

    epoch: int
    log_index: int
    leaf: bytes
    header_hash: bytes


def sealed_note(session: Session, note: UUID) -> Sealed | None:
    """Give where a note lies, once its epoch is final."""
    row = driver(session).execute(_NOTED, (note,)).fetchone()
    return None if row is None else Sealed(row[0], row[1], bytes(row[2]), bytes(row[3]))


def is_settled(session: Session, bucket: int, owner: int) -> bool:
    """Say whether nothing of an owner waits for the log, and the last of it is final."""
    connection = driver(session)
    waiting = connection.execute(_WAITING, {"bucket": bucket, "owner": owner}).fetchone()
    last = connection.execute(_LAST, (owner,)).fetchone()
    return waiting == (False,) and last in {None, (True,)}


def let_go(session: Session, owner: int) -> None:
    """Forget whose leaf it is; runs as the worker. Idempotent."""
    driver(session).execute(_LET_GO, (owner,))
