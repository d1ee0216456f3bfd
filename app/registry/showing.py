"""A lot with all that is public of it (批次池公示)."""

from uuid import UUID

from sqlmodel import Session

from app.registry.batches import batch_of_lot
from app.registry.errors import LotUnknown
from app.registry.lots import Lot, find_lot
from app.registry.reporting import report_of
from app.registry.sampling import (
    Party,
    commit_until,
    deciding,
    drawn_of,
    earlier_draws,
    seed_parts,
)
from app.registry.schemas import (
    LotOut,
    SeedOut,
    SeedPartOut,
    shown_brief,
    shown_decision,
    shown_rate,
)
from app.registry.verification import decision_of, error_rate_of


def whole_lot(session: Session, lot: UUID | None) -> LotOut:
    """Give a lot as anybody may see it.

    Raises:
        LotUnknown: There is none of this id.
    """
    found = find_lot(session, lot)
    batch = batch_of_lot(session, found.id)
    return LotOut(
        **dict(shown_brief(found)),
        report_sha256=_report_sha256(session, found),
        seed=_seed(session, found),
        earlier_draws=earlier_draws(session, found),
        error_rate=shown_rate(error_rate_of(session, found.id)),
        decision=shown_decision(decision_of(session, found.id)),
        batch=None if batch is None else batch.public,
    )


def _report_sha256(session: Session, lot: Lot) -> str | None:
    try:
        return report_of(session, lot.id).sha256.hex()
    except LotUnknown:
        return None


def _seed(session: Session, lot: Lot) -> SeedOut:
    parts = {each.party: each for each in seed_parts(session, lot.id)}
    decides = None if lot.frozen_at is None else deciding(session, lot, [*parts.values()])
    drawn = drawn_of(session, lot.id)
    block = None if decides is None or not decides.is_final else decides.block_hash
    is_over = drawn is not None or (lot.frozen_at is not None and lot.outcome is not None)

    def shown(party: Party) -> SeedPartOut:
        its = parts.get(party)
        nonce = None if its is None else its.nonce
        return SeedPartOut(
            party=party,
            commitment=None if its is None else its.commitment.hex(),
            committed_at=None if its is None else its.committed_at,
            nonce=None if nonce is None else nonce.hex(),
            is_withheld=is_over and nonce is None,
        )

    return SeedOut(
        commit_until=None if lot.frozen_at is None else commit_until(lot),
        epoch=None if decides is None else decides.epoch,
        block_hash=None if block is None else block.hex(),
        reveal_until=None if decides is None else decides.reveal_until,
        parts=[shown(party) for party in Party],
        seed=None if drawn is None else drawn.seed.hex(),
        drawn_at=None if drawn is None else drawn.drawn_at,
    )
