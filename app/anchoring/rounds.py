"""Rounds of numbering (编号轮次): ``ledger.numbering`` on disk, for any number of entries.

An entry that corrects another carries that one's log index, so it is hashed only once that one
has its place. Corrections are few: only their bytes are kept, and only they are touched here.
The order in the log is (round, leaf, id), so that no number is stored before the epoch is sealed.
"""

from typing import Final

from app.anchoring.errors import PendingIncomplete
from app.kernel.db import Connection
from ledger.encoding import entry_leaf

ORDER: Final = "round, leaf, id"
# Earlier epochs first: their numbers are fixed, so these entries go into round 0.
_KNOWN = """
select s.id, s.body, e.log_index from epoch_staging s join log_entry e on e.id = s.corrects
 where s.leaf is null"""
# `row_number` over all that is numbered so far: later rounds only ever come behind it.
_NUMBERED = f"""
select w.id, w.body, %s + n.place - 1
  from epoch_staging w
  join (select id, row_number() over (order by {ORDER}) as place
          from epoch_staging where leaf is not null) n on n.id = w.corrects
 where w.leaf is null"""  # noqa: S608 -- a constant of this file
_HASHED = """
update epoch_staging s set leaf = t.leaf, round = %s
  from unnest(%s::uuid[], %s::bytea[]) as t (id, leaf) where s.id = t.id"""


def hash_corrections(connection: Connection, *, log_size: int) -> None:
    """Hash what waits for the number of another entry, round after round.

    Raises:
        PendingIncomplete: An entry corrects something that is nowhere.
    """
    _hash(connection, 0, connection.execute(_KNOWN).fetchall())
    number = 0
    while waiting := _waiting(connection):
        number += 1
        ready = connection.execute(_NUMBERED, (log_size,)).fetchall()
        if not ready:
            raise PendingIncomplete(corrections=waiting)
        _hash(connection, number, ready)


def _waiting(connection: Connection) -> int:
    found = connection.execute("select count(*) from epoch_staging where leaf is null")
    return int((found.fetchone() or (0,))[0])


def _hash(connection: Connection, number: int, rows: list[tuple[object, ...]]) -> None:
    if not rows:
        return
    ids: list[object] = []
    leaves: list[bytes] = []
    for transfer, body, log_index in rows:
        assert isinstance(body, bytes)
        assert isinstance(log_index, int)
        ids.append(transfer)
        leaves.append(entry_leaf(body, log_index + 1))
    connection.execute(_HASHED, (number, ids, leaves))
