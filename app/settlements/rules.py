"""What a statement comes to (结算规则): lines in, sums by programme out; pure, whole fen."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from ledger.settlement import fee_of


class LineKind(StrEnum):
    """Why a line is there."""

    REDEMPTION = "redemption"
    """A voucher was redeemed: its points' claim."""
    REVERSAL = "reversal"
    """A redemption was reversed: the same, less."""
    ADJUSTMENT = "adjustment"
    """What the answer to a dispute granted or took back."""
    BROUGHT = "brought"
    """What the statement before carried forward."""
    CARRIED = "carried"
    """What this one lacks to come to nothing; the next one begins with it."""


class ClaimLine(NamedTuple):
    """One claim on one programme (结算明细)."""

    kind: LineKind
    subject: UUID
    """The redemption, the dispute, or the statement that carried it."""
    programme: int
    offer: UUID | None
    at: datetime
    points: int
    fen: int
    """Before the fee; below zero for what is taken back."""


class ProgrammeShare(NamedTuple):
    """What a statement comes to for one programme [fen] (分计划合计)."""

    programme: int
    claim_fen: int
    """Redemptions less reversals."""
    granted_fen: int
    """Adjustments in the merchant's favour."""
    gross_fen: int
    fee_fen: int

    @property
    def net_fen(self) -> int:
        """What the programme's budget pays."""
        return self.gross_fen - self.fee_fen


class SettlementState(StrEnum):
    """What became of a statement (结算单状态)."""

    OPEN = "open"
    DISPUTED = "disputed"
    RESOLVED = "resolved"
    FINAL = "final"
    PAID = "paid"


def carried(lines: Iterable[ClaimLine], settlement: UUID, at: datetime) -> Iterator[ClaimLine]:
    """Give the lines that carry forward what a programme is owed by the merchant.

    No budget takes fen back from a merchant: the next claims pay it.

    >>> from datetime import UTC
    >>> at, one = datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1)
    >>> taken = ClaimLine(LineKind.REVERSAL, one, 7, one, at, -5, -5)
    >>> [(line.kind.value, line.fen) for line in carried([taken], one, at)]
    [('carried', 5)]
    """
    sums: dict[int, int] = defaultdict(int)
    for line in lines:
        sums[line.programme] += line.fen
    for programme, fen in sorted(sums.items()):
        if fen < 0:
            yield ClaimLine(LineKind.CARRIED, settlement, programme, None, at, 0, -fen)


def shares(lines: Sequence[ClaimLine], fee_permille: int) -> list[ProgrammeShare]:
    """Sum lines up by programme, and take the fee of each sum."""
    found: list[ProgrammeShare] = []
    for programme in sorted({line.programme for line in lines}):
        own = [line for line in lines if line.programme == programme]
        claims = (LineKind.REDEMPTION, LineKind.REVERSAL)
        claim = sum(line.fen for line in own if line.kind in claims)
        granted = sum(max(0, line.fen) for line in own if line.kind is LineKind.ADJUSTMENT)
        gross = sum(line.fen for line in own)
        fee = fee_of(gross, fee_permille)
        found.append(ProgrammeShare(programme, claim, granted, gross, fee))
    return found


def state_of(*, is_paid: bool, is_final: bool, disputes: int, unanswered: int) -> SettlementState:
    """Say what became of a statement, from the rows beside it.

    >>> state_of(is_paid=False, is_final=False, disputes=2, unanswered=0).value
    'resolved'
    """
    if is_paid:
        return SettlementState.PAID
    if is_final:
        return SettlementState.FINAL
    if unanswered:
        return SettlementState.DISPUTED
    return SettlementState.RESOLVED if disputes else SettlementState.OPEN
