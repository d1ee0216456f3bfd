"""Statements as they are shown (结算单展示): summaries, the whole document, proofs of its lines."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.tokens import PREFIXES
from app.settlements.errors import SettlementUnknown
from app.settlements.lines import DISPUTE_PREFIX, PREFIX, shown_lines
from app.settlements.queries import (
    MerchantSettlement,
    ToldDispute,
    disputes_of,
    find_settlement,
    lines_of,
    programme_codes,
)
from app.settlements.rules import ClaimLine, LineKind
from app.settlements.schemas import (
    AdjustmentOut,
    DisputeOut,
    LineOut,
    ProofOut,
    ProofsOut,
    SettlementDocument,
    SettlementOut,
    line_out,
)
from ledger.log import inclusion_path, reader
from ledger.settlement import line_leaf

MERCHANT: Final = "mer"


class WholeSettlement(NamedTuple):
    """A statement with everything that belongs to it."""

    row: MerchantSettlement
    lines: Sequence[ClaimLine]
    disputes: Sequence[ToldDispute]
    programmes: Mapping[int, str]

    def shown(self) -> list[LineOut]:
        """Give its lines as they are hashed."""
        return [line_out(told) for told in shown_lines(self.lines, self.programmes)]


def whole_settlement(
    session: Session, settlement: UUID | None, place: tuple[int, int] | None = None
) -> WholeSettlement:
    """Read a statement in one snapshot; of the owner at ``place``, where that is given.

    Raises:
        SettlementUnknown: There is none, or it is another's.
    """
    row = find_settlement(session, settlement, place)
    codes = programme_codes(driver(session))
    return WholeSettlement(row, lines_of(session, row), disputes_of(session, row), codes)


def shown_settlement(row: MerchantSettlement) -> SettlementOut:
    """Sum a statement up."""
    return SettlementOut(
        id=row.public,
        merchant=public_id(MERCHANT, row.merchant),
        day=row.day,
        state=row.state,
        closed_at=row.closed_at,
        disputable_until=row.disputable_until,
        final_at=row.final_at,
        paid_at=row.paid_at,
        bank_reference=row.reference,
        lines=row.lines,
        gross_fen=row.gross_fen,
        fee_fen=row.fee_fen,
        net_fen=row.net_fen,
    )


def shown_dispute(told: ToldDispute) -> DisputeOut:
    """Show a dispute and its answer."""
    return DisputeOut(
        id=public_id(DISPUTE_PREFIX, told.id),
        settlement=public_id(PREFIX, told.settlement),
        merchant=public_id(MERCHANT, told.merchant),
        places=told.places,
        reason=told.reason,
        opened_by=public_id(PREFIXES["merchant"], told.opened_by),
        opened_at=told.opened_at,
        answered_at=told.answered_at,
        answer=told.answer,
        adjustments=[AdjustmentOut.model_validate(each) for each in told.adjustments],
    )


def shown_whole(whole: WholeSettlement, key: Ed25519PublicKey) -> SettlementDocument:
    """Show a statement with its lines, for anybody to check."""
    return SettlementDocument(
        **_signed(whole.row, key),
        settlement=shown_settlement(whole.row),
        lines=whole.shown(),
        disputes=[shown_dispute(each) for each in whole.disputes],
    )


def shown_proofs(
    whole: WholeSettlement, redemption: UUID | None, key: Ed25519PublicKey
) -> ProofsOut:
    """Prove that a redemption, and its reversal, are in a statement.

    Raises:
        SettlementUnknown: It has no such redemption.
    """
    shown = whole.shown()
    node = reader([line_leaf(line.model_dump()) for line in shown])
    claims = (LineKind.REDEMPTION, LineKind.REVERSAL)
    proofs = [
        ProofOut(line=shown[n], path=[hash_.hex() for hash_ in inclusion_path(n, len(shown), node)])
        for n, line in enumerate(whole.lines)
        if line.kind in claims and line.subject == redemption
    ]
    if not proofs:
        raise SettlementUnknown
    return ProofsOut(**_signed(whole.row, key), proofs=proofs)


def _signed(row: MerchantSettlement, key: Ed25519PublicKey) -> dict[str, str]:
    return {
        "statement": row.statement.decode(),
        "signature": b64encode(row.signature).decode(),
        "public_key": b64encode(key.public_bytes_raw()).decode(),
    }
