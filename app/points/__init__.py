"""Points (碳积分): reductions become points, behaviours earn some, and a programme pays for both.

A programme has rates, rewards, and a budget whose fen every point is a claim on. An exchange takes
whole points' worth of each class of reductions, in one transaction with the promise from the
budget and the payment of what its owner owes. Nobody is taken below zero: what a correction can't
take back is a debt that later earnings pay (docs/decisions/0022).
"""

from app.points.debts import Owed, Taken, offset_debts, recover, take_points, write_off_debts
from app.points.earmarks import set_due

__all__ = [
    "Owed",
    "Taken",
    "offset_debts",
    "recover",
    "set_due",
    "take_points",
    "write_off_debts",
]
