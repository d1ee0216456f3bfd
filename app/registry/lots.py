"""Lots (批次池): reductions of one class on their way to issuance, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.registry.errors import LotState, LotUnknown
from app.registry.origins import Series
from ledger.assets import Reduction

PREFIX: Final = "lot"


class LotOutcome(StrEnum):
    """How a lot ended."""

    ISSUED = "issued"
    REJECTED = "rejected"
    """By its verifier; its milligrams are in the pool again."""
    THAWED = "thawed"
    """Nobody revealed a nonce, or there was nothing to freeze, or too little to issue."""


class LotStep(StrEnum):
    """Where a lot is on its way."""

    FREEZING = "freezing"
    FROZEN = "frozen"
    SAMPLED = "sampled"
    CONFIRMED = "confirmed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot of one class (批次池)."""

    id: UUID
    asset: int
    reduction: Reduction
    begun_at: datetime
    sample_rows: int
    swept: int
    """Buckets whose rows are written."""
    frozen_at: datetime | None
    root: bytes | None
    leaves: int | None
    mg: int | None
    closed_at: datetime | None
    outcome: LotOutcome | None
    reason: str | None
    is_sampled: bool
    is_confirmed: bool

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def series(self) -> Series:
        """The class that it is of."""
        return Series(self.asset, self.reduction.vintage)

    @property
    def step(self) -> LotStep:
        """Where it is."""
        if self.outcome is not None:
            return LotStep.CLOSED
        if self.frozen_at is None:
            return LotStep.FREEZING
        if not self.is_sampled:
            return LotStep.FROZEN
        return LotStep.CONFIRMED if self.is_confirmed else LotStep.SAMPLED


_COLUMNS: Final = """
select l.id, l.asset, x.methodology, x.version, x.scenario, x.grade, x.vintage, l.begun_at,
       l.sample_rows, l.swept, l.frozen_at, l.root, l.leaves, l.mg, l.closed_at, l.outcome,
       l.reason, s.lot is not null, coalesce(d.is_confirmed, false)
  from lot l join asset x on x.id = l.asset
  left join lot_sample s on s.lot = l.id
  left join lot_decision d on d.lot = l.id"""
_FIND: Final = f"{_COLUMNS} where l.id = %s"
_LOCK: Final = "select 1 from lot where id = %s for update"
_LIST: Final = f"""{_COLUMNS}
 where (%(at)s::timestamptz is null or (l.begun_at, l.id) < (%(at)s, %(id)s))
 order by l.begun_at desc, l.id desc limit %(limit)s"""
_FREEZING: Final = f"{_COLUMNS} where l.frozen_at is null and l.closed_at is null order by l.id"
_CLOSE: Final = "update lot set closed_at = %s, outcome = %s, reason = %s where id = %s"


def find_lot(session: Session, lot: UUID | None) -> Lot:
    """Give a lot.

    Raises:
        LotUnknown: There is none of this id.
    """
    row = driver(session).execute(_FIND, (lot,)).fetchone()
    if row is None:
        raise LotUnknown
    return _lot(*row)


def lock_lot(session: Session, lot: UUID | None, *steps: LotStep) -> Lot:
    """Give a lot that nobody else changes until the end of this transaction, at one of these steps.

    Raises:
        LotUnknown: There is none of this id.
        LotState: It is at another step.
    """
    driver(session).execute(_LOCK, (lot,))
    found = find_lot(session, lot)
    if found.step not in steps:
        raise LotState(step=found.step)
    return found


def lots(session: Session, *, before: tuple[datetime, UUID] | None, limit: int) -> Sequence[Lot]:
    """Give lots, the newest first."""
    at, id_ = before or (None, None)
    facts = {"at": at, "id": id_, "limit": limit}
    return [_lot(*row) for row in driver(session).execute(_LIST, facts).fetchall()]


def freezing(session: Session) -> Sequence[Lot]:
    """Give the lots whose rows are being written."""
    return [_lot(*row) for row in driver(session).execute(_FREEZING).fetchall()]


def close_lot(
    connection: Connection, lot: UUID, outcome: LotOutcome, reason: str, *, at: datetime
) -> None:
    """End a lot, which is locked; what of it is in no batch is free for another."""
    connection.execute(_CLOSE, (at, outcome, reason, lot))


def _lot(  # noqa: PLR0913, PLR0917 -- the columns of the statements
    id_: UUID,
    asset: int,
    methodology: str,
    version: int,
    scenario: str,
    grade: Any,  # noqa: ANN401 -- the check of the column is the type's
    vintage: date,
    begun_at: datetime,
    sample_rows: int,
    swept: int,
    frozen_at: datetime | None,
    root: bytes | None,
    leaves: int | None,
    mg: int | None,
    closed_at: datetime | None,
    outcome: str | None,
    *rest: Any,  # noqa: ANN401 -- likewise
) -> Lot:
    return Lot(
        id_,
        asset,
        Reduction(methodology, version, scenario, grade, vintage),
        begun_at,
        sample_rows,
        swept,
        frozen_at,
        None if root is None else bytes(root),
        leaves,
        mg,
        closed_at,
        None if outcome is None else LotOutcome(outcome),
        *rest,
    )
