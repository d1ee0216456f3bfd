"""What became of one's cancellations (我的注销): their states are derived from their rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText, texts_of
from app.cancellations.errors import OwnCancellationUnknown
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from ledger.accounts import bucket_of
from ledger.assets import Grade, Reduction
from ledger.certificate import Purpose

PREFIX: Final = "can"
COLUMNS: Final = """
id, purpose, period, holder_commit, beneficiary_commit, message_commit, mg, requested_at, due_at,
reverted_at, reason, posted_at, posted_on, finalized_at"""
_ONE: Final = f"""
select {COLUMNS} from cancellation where bucket = %s and account = %s and id = %s"""  # noqa: S608 -- columns of our own
_PAGE: Final = f"""
select {COLUMNS} from cancellation
 where bucket = %s and account = %s and id < %s order by id desc limit %s"""  # noqa: S608 -- likewise
_PARTS: Final = """
select p.cancellation, p.asset, x.methodology, x.version, x.scenario, x.grade, x.vintage, p.mg,
       p.transfer, p.salt
  from cancellation_part p join asset x on x.id = p.asset
 where p.bucket = %s and p.account = %s and p.cancellation = any(%s) order by x.vintage, p.asset"""


class State(StrEnum):
    """How far a cancellation has come."""

    REQUESTED = "requested"
    """It may be reverted."""
    POSTED = "posted"
    """Its transfers are posted, and wait for the chain."""
    FINALIZED = "finalized"
    """The chain holds them, and the certificate is issued."""
    REVERTED = "reverted"
    """Nothing was cancelled."""


class Reversion(StrEnum):
    """Why nothing was cancelled."""

    OWNER = "owner"
    """They changed their mind."""
    BALANCE = "balance"
    """What it would take had gone elsewhere."""
    LEAVING = "leaving"
    """They leave, and what they hold joins the public cancellation."""


class CancellationRow(NamedTuple):
    """A cancellation as it is stored."""

    id: UUID
    purpose: Purpose
    period: str | None
    holder_commit: bytes
    beneficiary_commit: bytes
    message_commit: bytes
    mg: int
    requested_at: datetime
    due_at: datetime
    reverted_at: datetime | None
    reason: Reversion | None
    posted_at: datetime | None
    posted_on: date | None
    finalized_at: datetime | None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def state(self) -> State:
        """How far it has come."""
        if self.reverted_at is not None:
            return State.REVERTED
        if self.posted_at is None:
            return State.REQUESTED
        return State.POSTED if self.finalized_at is None else State.FINALIZED


class CancelledPart(NamedTuple):
    """What a cancellation takes of one class."""

    asset: int
    of: Reduction
    mg: int
    transfer: UUID
    salt: bytes
    """Of the claim, in this transfer's evidence."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation with what it takes, and the texts that its owner can still open."""

    row: CancellationRow
    parts: Sequence[CancelledPart]
    texts: Mapping[str, ClaimText]


def find_cancellation(session: Session, owner: int, cancellation: UUID | None) -> Cancellation:
    """Give one of an owner's cancellations.

    Raises:
        OwnCancellationUnknown: They have none of this id.
    """
    connection = driver(session)
    row = connection.execute(_ONE, (bucket_of(owner), owner, cancellation)).fetchone()
    if row is None:
        raise OwnCancellationUnknown
    return _whole(connection, owner, [row_of(*row)])[0]


def cancellations_of(
    session: Session, owner: int, *, before: UUID, limit: int
) -> list[Cancellation]:
    """List an owner's cancellations, the newest first."""
    connection = driver(session)
    rows = connection.execute(_PAGE, (bucket_of(owner), owner, before, limit)).fetchall()
    return _whole(connection, owner, [row_of(*row) for row in rows])


def row_of(*columns: Any) -> CancellationRow:  # noqa: ANN401 -- of ``COLUMNS``
    """Read a row."""
    row = CancellationRow._make(columns)
    reason = None if row.reason is None else Reversion(row.reason)
    return row._replace(purpose=Purpose(row.purpose), reason=reason)


def parts_of(
    connection: Connection, owner: int, ids: Sequence[UUID]
) -> Mapping[UUID, list[CancelledPart]]:
    """Give what cancellations take, by cancellation, the oldest months first."""
    found: dict[UUID, list[CancelledPart]] = defaultdict(list)
    for id_, asset, *of, mg, transfer, salt in connection.execute(
        _PARTS, (bucket_of(owner), owner, list(ids))
    ):
        found[id_].append(CancelledPart(asset, reduction_of(*of), mg, transfer, bytes(salt)))
    return found


def reduction_of(
    methodology: str, version: int, scenario: str, grade: Grade, vintage: date
) -> Reduction:
    """Name a class of reductions from its row."""
    return Reduction(methodology, version, scenario, grade, vintage)


def _whole(
    connection: Connection, owner: int, rows: Sequence[CancellationRow]
) -> list[Cancellation]:
    parts = parts_of(connection, owner, [row.id for row in rows])
    return [Cancellation(row, parts[row.id], texts_of(connection, owner, row.id)) for row in rows]
