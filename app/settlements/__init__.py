"""Settlements (结算): what merchants are owed for a day, and how it is paid.

On the day after, every redemption and reversal of a merchant becomes a line of a signed statement,
paid by the programmes whose points were spent; the same transaction moves the fen. For seven days
the merchant may dispute it; what two of the desk grant is a line of the next statement, since this
one never changes. What stands is paid out to the bank, by two of the desk (docs/decisions/0030).
"""

from app.settlements.closing import settle_day
from app.settlements.deeds import DEEDS
from app.settlements.jobs import close_windows, settle_days
from app.settlements.lines import shown_line
from app.settlements.rules import ClaimLine, LineKind
from app.settlements.statement import SettlementSeal, is_signed

__all__ = [
    "DEEDS",
    "ClaimLine",
    "LineKind",
    "SettlementSeal",
    "close_windows",
    "is_signed",
    "settle_day",
    "settle_days",
    "shown_line",
]
