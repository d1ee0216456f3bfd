"""Folding, on disk (折叠): the claimed entries of each owner into its next state, in log order.

Reads the staging area once, sorted, and holds one batch in memory however many entries an owner
has. The next states lie in a temporary table until the account map takes them over, all in the
sealing transaction.
"""

from collections.abc import Iterator
from typing import Final

from app.anchoring.errors import PendingIncomplete
from app.anchoring.leaves import part_of, unit_of_asset
from app.anchoring.rounds import ORDER
from app.kernel.db import Connection
from app.kernel.secrets import Keys
from ledger.encoding import AccountState, account_leaf, leaf_salt
from ledger.folding import close, fold

BATCH: Final = 20_000
"""Staged rows in memory at a time, and rows a fetch."""
STATE_COLUMNS: Final = (
    "epoch_from, ver, entries, mg_credits, mg_debits, points_credits, points_debits, head, leaf"
)

_STAGED = f"""
select bucket, owner, source, target, asset, amount, leaf from epoch_staging
 where owner is not null order by owner, {ORDER}"""  # noqa: S608 -- a constant
_STATES = """
select a.id, a.akey, s.sealed, n.ver, n.epoch_from, n.entries, n.mg_credits, n.mg_debits,
       n.points_credits, n.points_debits, n.head
  from unnest(%s::int2[], %s::int8[]) as k (bucket, owner)
  join account a on (a.bucket, a.id) = (k.bucket, k.owner)
  join account_secret s on (s.bucket, s.account) = (k.bucket, k.owner)
  left join account_anchor n on n.akey = a.akey"""
_NEXT = f"""
create temporary table account_next on commit drop as
select akey, owner, {STATE_COLUMNS} from account_anchor with no data"""  # noqa: S608 -- a constant
_COPY = f"copy account_next (akey, owner, {STATE_COLUMNS}) from stdin (format binary)"
_COPY_TYPES = "bytea int8 int8 int4 int8 int8 int8 int8 int8 bytea bytea".split()  # noqa: SIM905 -- one row beside the fields
# An owner that seems new, and has a history, has lost its row: the close must not begin it again.
_LOST = """
select n.akey from account_next n
 where n.ver = 1 and exists (select from account_leaf l where l.akey = n.akey) limit 1"""
_HISTORY = f"""
insert into account_leaf (akey, {STATE_COLUMNS}) select akey, {STATE_COLUMNS} from account_next
 order by akey"""  # noqa: S608 -- a constant
_CURRENT = f"""
insert into account_anchor (akey, owner, {STATE_COLUMNS})
select akey, owner, {STATE_COLUMNS} from account_next order by akey
on conflict (akey) do update set
  ({STATE_COLUMNS}) = (select {", ".join(f"excluded.{c}" for c in STATE_COLUMNS.split(", "))})"""  # noqa: S608 -- a constant

Staged = tuple[int, int, int, int, int, int, bytes]
"""(bucket, owner, source, target, asset, amount, leaf)"""


class Folder:
    """One pass over the staging area for one epoch."""

    def __init__(self, connection: Connection, keys: Keys, *, epoch: int) -> None:
        """Read nothing yet."""
        self._connection = connection
        self._keys = keys
        self._epoch = epoch
        self._states: dict[int, AccountState] = {}
        self._secrets: dict[int, bytes] = {}

    def run(self) -> list[bytes]:
        """Write every changed owner's next state; give their keys.

        Raises:
            PendingIncomplete: An owner of a claimed entry is gone, or its history's last row is.
        """
        self._connection.execute(_NEXT)
        changed: list[bytes] = []
        for rows in batched_rows(self._connection):
            self._load(rows)
            for _, owner, source, target, asset, amount, leaf in rows:
                part = part_of(source, target)
                assert part is not None, owner
                self._states[owner] = fold(
                    self._states[owner], leaf, part, unit_of_asset(asset), amount
                )
            changed += self._store(unfinished=rows[-1][1])
        changed += self._store(unfinished=None)
        if lost := self._connection.execute(_LOST).fetchone():
            raise PendingIncomplete(akey=lost[0].hex(), lost="account_anchor")
        self._connection.execute(_HISTORY)
        self._connection.execute(_CURRENT)
        return changed

    def _load(self, rows: list[Staged]) -> None:
        """Open the owners that were not seen yet."""
        new = {row[1]: row[0] for row in rows if row[1] not in self._states}
        with self._connection.cursor(binary=True) as cursor:
            found = cursor.execute(_STATES, (list(new.values()), list(new))).fetchall()
        if len(found) != len(new):
            raise PendingIncomplete(owners=len(new) - len(found))
        for owner, akey, sealed, ver, epoch, entries, *sums, head in found:
            self._secrets[owner] = self._keys.open(sealed, owner=owner)
            self._states[owner] = (
                AccountState(akey)
                if ver is None
                else AccountState(akey, ver, epoch, entries, (*sums,), head)
            )

    def _store(self, *, unfinished: int | None) -> list[bytes]:
        """Close the owners of whom the last entry was seen, and forget them."""
        done = [owner for owner in self._states if owner != unfinished]
        akeys: list[bytes] = []
        with (
            self._connection.cursor() as cursor,
            cursor.copy(_COPY) as copy,
        ):
            copy.set_types(_COPY_TYPES)
            for owner in done:
                state = close(self._states.pop(owner), self._epoch)
                leaf = account_leaf(state, leaf_salt(self._secrets.pop(owner), state.ver))
                counted = (state.epoch, state.ver, state.entries, *state.sums)
                copy.write_row((state.akey, owner, *counted, state.head, leaf))
                akeys.append(state.akey)
        return akeys


def batched_rows(connection: Connection) -> Iterator[list[Staged]]:
    """Read the staging area by owner and in log order, a batch at a time."""
    with connection.cursor(name="fold", binary=True) as cursor:
        cursor.itersize = BATCH
        cursor.execute(_STAGED)
        while rows := cursor.fetchmany(BATCH):
            yield rows
