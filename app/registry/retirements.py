"""What became of retirements (注销使用查询): their states are derived from their rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg.types.range import Range
from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.registry.batches import batch_name
from app.registry.retirement_errors import RetirementUnknown
from ledger.certificate import Purpose
from ledger.registry import retirement_id
from ledger.serials import Serial, write_serial

PREFIX: Final = "ret"
COLUMNS: Final = """
r.id, r.holder, r.source, r.batch, b.number, b.method_code, b.vintage, r.quantity_kg, r.purpose,
r.period, r.holder_commit, r.beneficiary_commit, r.message_commit, r.salt, r.transfer,
r.requested_at, r.due_at, r.reverted_at, r.taken_at, r.taken_on, r.range, r.claim, r.final_at"""
FROM: Final = "from retirement r join issue_batch b on b.id = r.batch"
_FIND: Final = f"select {COLUMNS} {FROM} where r.holder = %s and r.id = %s"
_PAGE: Final = f"""
select {COLUMNS} {FROM}
 where r.holder = %s and (%s::uuid is null or r.id < %s) order by r.id desc limit %s"""
_TAKEN: Final = f"""
select {COLUMNS} {FROM}
 where r.taken_at is not null
   and (%(at)s::timestamptz is null or (r.taken_at, r.id) < (%(at)s, %(id)s))
 order by r.taken_at desc, r.id desc limit %(limit)s"""


_REGISTERED: Final = """
select subject, chain_id, contract, block_number, tx_hash from registry_message
 where kind = 'retire' and subject = any(%s) and block_number is not null"""


class RetirementState(StrEnum):
    """How far a retirement has come."""

    REQUESTED = "requested"
    """Its units are held; it may be reverted."""
    REVERTED = "reverted"
    """Nothing was retired."""
    TAKEN = "taken"
    """It has its serials, and waits for the chain."""
    FINAL = "final"
    """The registry on the chain has it, in a final block."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """Units of one batch that are used for ever, or shall be (注销)."""

    id: UUID
    holder: int
    """The owner in the books."""
    source: int
    """The account where the units lie until they are taken."""
    batch: UUID
    batch_number: int
    method_code: str
    vintage: date
    quantity_kg: int
    purpose: Purpose
    period: str | None
    holder_commit: bytes
    beneficiary_commit: bytes
    message_commit: bytes
    salt: bytes
    """Of the claim, in the evidence of its transfer."""
    transfer: UUID
    """The id that its RETIRE has, or will have."""
    requested_at: datetime
    due_at: datetime
    reverted_at: datetime | None
    taken_at: datetime | None
    taken_on: date | None
    """The day of its transfer."""
    range: "Range[int] | None"
    """Its units, [first, last + 1)."""
    claim: bytes | None
    """The commitment to its claim."""
    final_at: datetime | None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def batch_public(self) -> str:
        """The public id of its batch, which names the asset."""
        return batch_name(self.batch)

    @property
    def state(self) -> RetirementState:
        """How far it has come."""
        if self.reverted_at is not None:
            return RetirementState.REVERTED
        if self.taken_at is None:
            return RetirementState.REQUESTED
        return RetirementState.TAKEN if self.final_at is None else RetirementState.FINAL

    @property
    def serial(self) -> str | None:
        """Its units, once it has them."""
        if self.range is None:
            return None
        assert self.range.lower is not None, self
        return self.serial_from(self.range.lower)

    def serial_from(self, first: int) -> str:
        """Write so many units of its batch, from one on."""
        last = first + self.quantity_kg - 1
        return write_serial(Serial(self.method_code, self.vintage, self.batch_number, first, last))


class Registration(NamedTuple):
    """Where the registry on the chain was last seen to have a retirement."""

    subject: bytes
    chain_id: int
    contract: bytes
    block_number: int
    tx_hash: bytes

    def written(self) -> Mapping[str, Any]:
        """Write its bytes as a chain does."""
        return {
            name: f"0x{value.hex()}" if isinstance(value, bytes) else value
            for name, value in self._asdict().items()
        }


def find_retirement(session: Session, holder: int, retirement: UUID | None) -> Retirement:
    """Give one of a holder's retirements.

    Raises:
        RetirementUnknown: They have none of this id.
    """
    return one_of(driver(session).execute(_FIND, (holder, retirement)).fetchone())


def retirements_of(
    session: Session, holder: int, *, before: UUID | None, limit: int
) -> Sequence[Retirement]:
    """List a holder's retirements, the newest first."""
    rows = driver(session).execute(_PAGE, (holder, before, before, limit)).fetchall()
    return [retirement_of(*row) for row in rows]


def taken_retirements(
    session: Session, *, before: tuple[Any, ...] | None, limit: int
) -> Sequence[Retirement]:
    """List everybody's retirements that have their serials, the newest first.

    ``before`` is the instant at which the last one before was taken, and its id.
    """
    at, id_ = before or (None, None)
    rows = driver(session).execute(_TAKEN, {"at": at, "id": id_, "limit": limit}).fetchall()
    return [retirement_of(*row) for row in rows]


def registrations_of(
    connection: Connection, retirements: Iterable[UUID]
) -> Mapping[UUID, Registration]:
    """Give where the chain has retirements; those that it has not are left out."""
    named = {retirement_id(each): each for each in retirements}
    rows = connection.execute(_REGISTERED, (list(named),)).fetchall()
    return {named[row[0]]: Registration(*row) for row in rows}


def lock_retirement(connection: Connection, holder: int, retirement: UUID | None) -> Retirement:
    """Give one of a holder's retirements, which nobody else changes until this transaction ends.

    Raises:
        RetirementUnknown: They have none of this id.
    """
    row = connection.execute(f"{_FIND} for update of r", (holder, retirement)).fetchone()
    return one_of(row)


def one_of(row: tuple[Any, ...] | None) -> Retirement:
    """Read the one row of a statement.

    Raises:
        RetirementUnknown: There is none.
    """
    if row is None:
        raise RetirementUnknown
    return retirement_of(*row)


def retirement_of(*row: Any) -> Retirement:  # noqa: ANN401 -- the columns of COLUMNS
    """Read a row of ``COLUMNS``."""
    read = Retirement(*row)
    return replace(read, purpose=Purpose(read.purpose))
