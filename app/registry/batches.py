"""Issue batches (签发批次) and holdings (持有): what was issued, and who has how much of it.

Units are numbered from 1 within their batch. A holding is a quantity; which numbers it has is
decided when units are retired, by the batch's cursor (R24).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.registry.errors import BatchUnknown, SerialUnknown
from ledger.accounts import bucket_of
from ledger.assets import Reduction, Unit
from ledger.serials import Serial, SerialMalformed, parse_serial, write_serial

PREFIX: Final = "ibt"
_COLUMNS: Final = """
select b.id, b.number, b.lot, b.asset, b.reduction, x.methodology, x.version, x.scenario,
       x.grade, x.vintage, b.method_code, lower(b.series), b.quantity_kg, b.buffer_kg,
       b.cursor_kg, b.end_kg, b.issued_at
  from issue_batch b join asset x on x.id = b.reduction"""
_FIND: Final = f"{_COLUMNS} where b.id = %s"
_LOCK: Final = f"{_FIND} for no key update of b"
_NUMBERED: Final = f"{_COLUMNS} where b.number = %s"
_SOME: Final = f"{_COLUMNS} where b.id = any(%s)"
_OF_LOT: Final = f"{_COLUMNS} where b.lot = %s"
_LIST: Final = f"""{_COLUMNS}
 where %(before)s::int is null or b.number < %(before)s order by b.number desc limit %(limit)s"""
_HELD: Final = """
select b.id, sum(h.credits - h.debits) filter (where h.account & 1 = 0),
       sum(h.credits - h.debits) filter (where h.account & 1 = 1)
  from balance h join issue_batch b on b.asset = h.asset
 where h.bucket = %s and h.account in (%s, %s) and h.credits > h.debits
 group by b.id, b.number order by b.number"""


@dataclass(frozen=True, slots=True)
class Batch:
    """The units of one issuance (签发批次)."""

    id: UUID
    number: int
    lot: UUID
    asset: int
    """Of its units."""
    series: int
    """The class of reductions that it is of, in the books."""
    reduction: Reduction
    method_code: str
    first_mg: int
    """Where its units begin in the series of their class."""
    quantity_kg: int
    buffer_kg: int
    cursor_kg: int
    """The last unit that was retired."""
    end_kg: int
    """The last unit that is good: what was invalidated lies beyond it."""
    issued_at: datetime

    @property
    def public(self) -> str:
        """The public id, which names the asset of its units."""
        return batch_name(self.id)

    @property
    def vintage(self) -> date:
        """The first day of the month of its acts."""
        return self.reduction.vintage


class Holding(NamedTuple):
    """Units of one batch that an owner has."""

    batch: Batch
    available_kg: int
    held_kg: int


def batch_name(batch: UUID) -> str:
    """Give the public id of a batch.

    >>> batch_name(UUID(int=0))[:6]
    'ibt_00'
    """
    return public_id(PREFIX, batch)


def unit_asset(batch: UUID) -> Unit:
    """Give the asset of a batch's units."""
    return Unit(batch_name(batch))


def find_batch(connection: Connection, batch: UUID | None) -> Batch:
    """Give a batch.

    Raises:
        BatchUnknown: There is none of this id.
    """
    return _one(connection.execute(_FIND, (batch,)).fetchone())


def batches_of(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Batch]:
    """Give batches by their ids."""
    rows = connection.execute(_SOME, (list(ids),)).fetchall()
    return {each.id: each for each in (_batch(*row) for row in rows)}


def lock_batch(connection: Connection, batch: UUID) -> Batch:
    """Give a batch whose cursor nobody else moves until the end of this transaction.

    Raises:
        BatchUnknown: There is none of this id.
    """
    return _one(connection.execute(_LOCK, (batch,)).fetchone())


def batch_of_lot(session: Session, lot: UUID) -> Batch | None:
    """Give what was issued of a lot."""
    row = driver(session).execute(_OF_LOT, (lot,)).fetchone()
    return None if row is None else _batch(*row)


def batches(session: Session, *, before: int | None, limit: int) -> Sequence[Batch]:
    """Give batches, the newest first."""
    facts = {"before": before, "limit": limit}
    return [_batch(*row) for row in driver(session).execute(_LIST, facts).fetchall()]


def holdings_of(connection: Connection, owner: int) -> Sequence[Holding]:
    """Give what an owner in the books has of each batch, the oldest first."""
    rows = connection.execute(_HELD, (bucket_of(owner), owner, owner | 1)).fetchall()
    known = batches_of(connection, [batch for batch, *_ in rows])
    return [
        Holding(known[batch], int(available or 0), int(held or 0))
        for batch, available, held in rows
    ]


def serial_of(batch: Batch, start: int, end: int) -> str:
    """Write units ``start`` to ``end`` of a batch."""
    assert 1 <= start <= end <= batch.quantity_kg, (batch, start, end)
    return write_serial(Serial(batch.method_code, batch.vintage, batch.number, start, end))


def units_of(session: Session, text: str) -> tuple[Batch, Serial]:
    """Find the units that a serial names.

    Raises:
        SerialUnknown: It is no serial, or it does not say what was issued.
    """
    try:
        serial = parse_serial(text)
    except SerialMalformed as error:
        raise SerialUnknown(fault=str(error)) from error
    row = driver(session).execute(_NUMBERED, (serial.batch,)).fetchone()
    found = None if row is None else _batch(*row)
    if (
        found is None
        or (found.method_code, found.vintage) != (serial.method, serial.vintage)
        or serial.end > found.quantity_kg
    ):
        raise SerialUnknown(fault="no such units were issued")
    return found, serial


def _one(row: tuple[Any, ...] | None) -> Batch:
    if row is None:
        raise BatchUnknown
    return _batch(*row)


def _batch(  # noqa: PLR0913, PLR0917 -- the columns of the statements
    id_: UUID,
    number: int,
    lot: UUID,
    asset: int,
    series: int,
    methodology: str,
    version: int,
    scenario: str,
    grade: Any,  # noqa: ANN401 -- the check of the column is the type's
    vintage: date,
    *rest: Any,  # noqa: ANN401 -- likewise
) -> Batch:
    reduction = Reduction(methodology, version, scenario, grade, vintage)
    return Batch(id_, number, lot, asset, series, reduction, *rest)
