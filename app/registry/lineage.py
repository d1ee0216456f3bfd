"""Lineage (溯源): from a gram to the unit that holds it, and from a unit to the acts it is of.

The series of a class counts milligrams through all its batches; a row's place and a batch's first
milligram say by arithmetic which units hold a row. To its owner a row opens whole, with the proof
that it is in the root that was published when its lot was frozen; to anybody else a unit shows
leaves, that open to nobody but their owners: not even how much of each, which whoever knows a trip
could tell it by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from app.registry.batches import Batch, batches_of, find_batch
from app.registry.errors import BatchUnknown, LotUnknown, RowUnknown
from app.registry.lots import Lot, find_lot
from app.registry.rules import Units, units_at
from ledger.assets import MG_PER_KG, asset_key, day_number
from ledger.log import inclusion_path
from ledger.lots import LotRow, row_salt
from ledger.tiles import ReadTile, Tile, node_reader

_MINE: Final = """
select lot, activity, batch, lower(place), upper(place) from issued_row
 where bucket = %(bucket)s and account = %(owner)s
   and (%(lot)s::uuid is null or (lot, activity) < (%(lot)s, %(activity)s))
 order by lot desc, activity desc limit %(limit)s"""
_ROW: Final = """
select w.mg, w.act_mg, w.evidence, w.occurred_on, w.excluded, w.leaf, s.sealed, i.batch,
       lower(i.place), upper(i.place)
  from lot_row w
  left join account_secret s on s.bucket = w.bucket and s.account = w.account
  left join issued_row i on i.bucket = w.bucket and i.account = w.account and i.lot = w.lot
   and i.activity = w.activity
 where w.bucket = %s and w.account = %s and w.lot = %s and w.activity = %s"""
_POSITION: Final = "select position from lot_leaf where lot = %s and leaf = %s"
_TILE: Final = "select hashes from lot_tile where lot = %s and level = %s and number = %s"
_OF_UNIT: Final = """
select w.leaf
  from issued_row i
  join lot_row w on w.bucket = i.bucket and w.account = i.account and w.lot = i.lot
   and w.activity = i.activity
 where i.bucket >= 0 and i.asset = %(asset)s and i.place && int8range(%(first)s, %(end)s)
   and encode(w.leaf, 'hex') > %(after)s collate "C"
 order by w.leaf limit %(limit)s"""


class OwnUnits(NamedTuple):
    """Which units hold grams of one act of mine."""

    lot: UUID
    activity: UUID
    batch: Batch
    units: Units
    mg: int


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A row of mine in a lot, opened, with the proof that it is in the lot's root."""

    lot: Lot
    row: LotRow
    salt: bytes
    position: int
    path: Sequence[bytes]
    batch: Batch | None
    """None while it is not issued, or where it left the lot."""
    units: Units | None
    issued_mg: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An act of mine that was left out of a lot, and why."""

    lot: Lot
    mg: int
    occurred_on: date
    reason: str


def own_units(
    session: Session,
    bucket: int,
    owner: int,
    *,
    before: tuple[UUID, UUID] | None,
    limit: int,
) -> Sequence[OwnUnits]:
    """Give the units that hold somebody's grams, act by act, the newest lot first."""
    connection = driver(session)
    lot, activity = before or (None, None)
    facts = {
        "bucket": bucket,
        "owner": owner,
        "lot": lot,
        "activity": activity,
        "limit": limit,
    }
    rows = connection.execute(_MINE, facts).fetchall()
    known = batches_of(connection, {row[2] for row in rows})
    return [
        OwnUnits(lot, act, known[batch], units_at(known[batch].first_mg, start, end), end - start)
        for lot, act, batch, start, end in rows
    ]


def open_row(
    session: Session, keys: Keys, bucket: int, owner: int, lot: UUID | None, activity: UUID | None
) -> OpenedRow | LeftOut:
    """Open what of an act of somebody's own is in a lot.

    Raises:
        RowUnknown: There is nothing of it in there, or it is somebody else's.
    """
    connection = driver(session)
    row = connection.execute(_ROW, (bucket, owner, lot, activity)).fetchone()
    if row is None or lot is None or activity is None:
        raise RowUnknown
    mg, act_mg, evidence, day, excluded, leaf, sealed, batch, start, end = row
    found = find_lot(session, lot)
    if leaf is None:
        return LeftOut(found, mg, day, excluded)
    if found.leaves is None or sealed is None:
        raise RowUnknown
    its = LotRow(
        lot, activity, asset_key(found.reduction), day_number(day), act_mg, mg, bytes(evidence)
    )
    salt = row_salt(keys.open(bytes(sealed), owner=owner), lot, activity)
    (position,) = connection.execute(_POSITION, (lot, leaf)).fetchall()[0]
    path = inclusion_path(position, found.leaves, node_reader(found.leaves, _tiles(session, lot)))
    if batch is None:
        return OpenedRow(found, its, salt, position, path, None, None, 0)
    issued = find_batch(connection, batch)
    units = units_at(issued.first_mg, start, end)
    return OpenedRow(found, its, salt, position, path, issued, units, end - start)


def leaves_of_unit(
    connection: Connection, batch: Batch, number: int, *, after: str, limit: int
) -> Sequence[bytes]:
    """Give the leaves of a unit behind one [hex]: a batch is of one lot, placed in their order.

    Raises:
        BatchUnknown: The batch has no such unit.
    """
    if not 1 <= number <= batch.quantity_kg:
        raise BatchUnknown
    first = batch.first_mg + (number - 1) * MG_PER_KG
    facts = {
        "asset": batch.series,
        "first": first,
        "end": first + MG_PER_KG,
        "after": after,
        "limit": limit,
    }
    return [bytes(leaf) for (leaf,) in connection.execute(_OF_UNIT, facts)]


def tile_of(session: Session, lot: UUID | None, level: int, number: int) -> bytes:
    """Give a tile of the tree over a lot's leaves.

    Raises:
        LotUnknown: There is none.
    """
    row = driver(session).execute(_TILE, (lot, level, number)).fetchone()
    if row is None:
        raise LotUnknown
    return bytes(row[0])


def _tiles(session: Session, lot: UUID) -> ReadTile:
    def read(tile: Tile) -> bytes:
        return tile_of(session, lot, tile.level, tile.number)

    return read
