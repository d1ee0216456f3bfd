"""The inbox (收件箱): written in the transaction of what it tells of, read by its owner alone."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.notices.errors import NoticeUnknown
from app.notices.rules import NoticeKind

KEPT: Final = timedelta(days=400)

# Only to who is here: whoever leaves is told nothing that would outlive them.
_NOTIFY: Final = """
insert into notice (bucket, account, id, kind, subject, facts, noted_at)
select q.*
  from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::text[], %s::text[], %s::jsonb[],
              %s::timestamptz[]) as q (bucket, account, id, kind, subject, facts, noted_at)
  join subject s on s.bucket = q.bucket and s.account = q.account
   for key share of s
on conflict (bucket, account, kind, subject) do nothing"""
_PAGE: Final = """
select bucket, account, id, kind, subject, facts, noted_at, read_at from notice
 where bucket = %(bucket)s and account = %(account)s
   and (%(before)s::uuid is null or id < %(before)s)
 order by id desc limit %(limit)s"""
_UNREAD: Final = """
select count(*) from notice where bucket = %s and account = %s and read_at is null"""
_READ: Final = """
update notice set read_at = coalesce(read_at, %s) where bucket = %s and account = %s and id = %s
returning bucket, account, id, kind, subject, facts, noted_at, read_at"""
_SWEEP: Final = "delete from notice where bucket >= 0 and noted_at < %s"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a citizen is told."""

    bucket: int
    owner: int
    id: UUID
    kind: NoticeKind
    subject: str
    """What it is about; of that a person is told once."""
    facts: Mapping[str, str | int]
    noted_at: datetime
    read_at: datetime | None = None


def notify(connection: Connection, notices: Iterable[Notice]) -> int:
    """Write notices; those whose subject was told before are left out. Gives how many are new."""
    rows = [
        (
            each.bucket,
            each.owner,
            each.id,
            each.kind.value,
            each.subject,
            json.dumps(each.facts),
            each.noted_at,
        )
        for each in notices
    ]
    if not rows:
        return 0
    return connection.execute(
        _NOTIFY, [list(column) for column in zip(*rows, strict=True)]
    ).rowcount


def inbox(
    session: Session, bucket: int, owner: int, *, before: UUID | None, limit: int
) -> Sequence[Notice]:
    """Give an owner's notices, the newest first."""
    asked = {"bucket": bucket, "account": owner, "before": before, "limit": limit}
    return [_notice(*row) for row in driver(session).execute(_PAGE, asked).fetchall()]


def unread(session: Session, bucket: int, owner: int) -> int:
    """Count what an owner has not read."""
    row = driver(session).execute(_UNREAD, (bucket, owner)).fetchone()
    assert row is not None
    return row[0]


def mark_read(
    session: Session, bucket: int, owner: int, notice: UUID | None, *, at: datetime
) -> Notice:
    """Note that an owner has read a notice; the first time counts.

    Raises:
        NoticeUnknown: There is none of theirs.
    """
    facts = (at, bucket, owner, notice)
    row = notice and driver(session).execute(_READ, facts).fetchone()
    if not row:
        raise NoticeUnknown
    return _notice(*row)


def sweep_notices(session: Session, *, at: datetime) -> int:
    """Forget notices past their time."""
    return driver(session).execute(_SWEEP, (at - KEPT,)).rowcount


def _notice(  # noqa: PLR0917 -- the columns of the statements
    bucket: int,
    owner: int,
    id_: UUID,
    kind: str,
    subject: str,
    facts: Mapping[str, str | int],
    noted_at: datetime,
    read_at: datetime | None,
) -> Notice:
    return Notice(bucket, owner, id_, NoticeKind(kind), subject, facts, noted_at, read_at)
