"""What a certificate proves (证书证明): a claim, and where each of its transfers lies in the log.

Read from immutable rows and the log's tiles: made again, it comes out the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.anchoring.inclusion import LogPaths
from app.anchoring.leaves import Fact, entry_of, opening_of
from app.cancellations.posting import claim_of as claim_of_cancellation
from app.cancellations.queries import find_cancellation
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from app.registry.batches import unit_asset
from app.registry.retirements import find_retirement
from app.registry.taking import claim_of as claim_of_retirement
from ledger.accounts import bucket_of
from ledger.assets import Reduction, Unit
from ledger.certificate import Kind, LoggedPart
from ledger.receipt import Json

_FACTS: Final = """
select e.log_index, e.epoch, t.bucket, t.recorded_on, t.id, t.code, t.source, t.target, t.asset,
       t.amount, x.key, t.occurred_on, t.corrects, t.evidence, c.id, c.akey, s.sealed
  from transfer t
  join asset x on x.id = t.asset
  join account c on c.bucket = t.bucket and c.id = t.source & ~1::int8
  join account_secret s on s.bucket = c.bucket and s.account = c.id
  join log_entry e on e.id = t.id
 where t.bucket = %s and t.recorded_on = %s and t.id = any(%s)"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a certificate keeps: commitments, and where they lie."""

    kind: Kind
    subject: UUID
    owner: int
    epoch: int
    claim: Json
    parts: Sequence[Json]


class Moved(NamedTuple):
    """One transfer of a claim."""

    asset: Reduction | Unit
    salt: bytes
    transfer: UUID


def prove_cancellation(
    session: Session, keys: Keys, folder: Path, owner: int, cancellation: UUID
) -> Proof:
    """Put together the proof of a cancellation whose transfers are in the log."""
    found = find_cancellation(session, owner, cancellation)
    assert found.row.posted_on is not None, found.row
    moved = [Moved(part.of, part.salt, part.transfer) for part in found.parts]
    epoch, parts = _place(session, keys, folder, owner, found.row.posted_on, moved)
    claim = claim_of_cancellation(found.row, found.parts)
    return Proof("reduction", cancellation, owner, epoch, claim, parts)


def prove_retirement(
    session: Session, keys: Keys, folder: Path, owner: int, retirement: UUID
) -> Proof:
    """Put together the proof of a retirement that has its serials and is in the log."""
    found = find_retirement(session, owner, retirement)
    assert found.taken_on is not None, found
    moved = [Moved(unit_asset(found.batch), found.salt, found.transfer)]
    epoch, parts = _place(session, keys, folder, owner, found.taken_on, moved)
    return Proof("unit", retirement, owner, epoch, claim_of_retirement(found), parts)


def _place(
    session: Session, keys: Keys, folder: Path, owner: int, day: date, moved: Sequence[Moved]
) -> tuple[int, Sequence[Json]]:
    """Give the epoch of some transfers of one transaction, and each with its place in the log."""
    logged = _logged(driver(session), owner, day, [each.transfer for each in moved])
    (epoch,) = {row[1] for row in logged.values()}
    paths, parts = LogPaths(session, folder), list[Json]()
    for each in moved:
        log_index, _, *row = logged[each.transfer]
        fact = Fact._make(row)
        closed = entry_of(fact, opening_of(keys, fact)).debit_commit
        path = paths.path(log_index, epoch)
        parts.append(LoggedPart(each.asset, each.salt, log_index, closed, path).to_json())
    return epoch, parts


def _logged(
    connection: Connection, owner: int, day: date, transfers: Sequence[UUID]
) -> Mapping[UUID, tuple[Any, ...]]:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_FACTS, (bucket_of(owner), day, list(transfers)))
        return {row[4]: row for row in rows}
