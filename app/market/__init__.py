"""The market (市场): units are listed, quoted, bought, paid for; then the buyer's, or retired.

A listing offers units that stay its seller's. A quote fixes what a quantity costs for a while. A
purchase holds the units until it is paid for, expires or is cancelled, and ends once. A payment is
confirmed by the operator's desk, by two of it above a limit; in one transaction it moves the units
and lets the money reach those whose grams were sold: the budgets of programmes, or a reseller
(docs/decisions/0037).
"""

from app.market.deeds import DEEDS
from app.market.expiring import expire_purchases
from app.market.proceeds import BatchShare, Reached, reached
from app.market.purchases import RetirementPlan, buy
from app.market.rules import due_fen

__all__ = [
    "DEEDS",
    "BatchShare",
    "Reached",
    "RetirementPlan",
    "buy",
    "due_fen",
    "expire_purchases",
    "reached",
]
