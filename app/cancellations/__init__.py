"""Voluntary cancellation (自愿注销): reductions given up for ever, in one's own or another's name.

A citizen or an organisation asks for it; for some minutes it may be reverted, then its transfers
are posted, each with a commitment to the claim of the certificate, and it is final when the chain
holds the epoch in which they lie. Nothing is held back meanwhile: what posts first counts, and a
cancellation whose grams have gone elsewhere is reverted (docs/decisions/0036). What an organisation
cancels of its units is a retirement and lies with the registry; causes that many people's dust
joins lie with ``app.benefit``.
"""

from app.cancellations.leaving import is_final, release_cancellations
from app.cancellations.posting import post_due
from app.cancellations.queries import Cancellation, State

__all__ = ["Cancellation", "State", "is_final", "post_due", "release_cancellations"]
