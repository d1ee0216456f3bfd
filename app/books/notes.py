"""Notes on disk (账簿附注): entries of the log that move nothing, pending like every other."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection

_WRITE: Final = """
with noted as (
  insert into log_note (bucket, recorded_on, id, account, code, cause)
  select * from unnest(%s::int2[], %s::date[], %s::uuid[], %s::int8[], %s::int2[], %s::uuid[])
  returning bucket, recorded_on, id)
insert into log_pending (bucket, recorded_on, id) select bucket, recorded_on, id from noted"""


class Note(NamedTuple):
    """An entry about one owner that moves nothing; see the notes among ``ledger.Code``."""

    bucket: int
    recorded_on: date
    id: UUID
    account: int
    code: int
    cause: UUID


def write_notes(connection: Connection, notes: Sequence[Note]) -> None:
    """Write ``notes`` and let them await the log; the caller's transaction decides."""
    if notes:
        connection.execute(_WRITE, [list(column) for column in zip(*notes, strict=True)])
