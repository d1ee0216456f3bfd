"""The wallet (钱包): what a citizen reads of their own, and how they contest it.

Holdings by class, acts with their full working, days and trends, the account receipt, live
changes, and appeals. Everything is computed from rows that others wrote; the one thing written
here is an appeal with its decision. Every statement names the asker's bucket and owner, so what
belongs to somebody else looks as if it did not exist (docs/decisions/0021).
"""

from app.wallet.appeals import Appeal, decide_appeal, raise_appeal
from app.wallet.holdings import Holdings, holdings_of
from app.wallet.live import LiveStreams
from app.wallet.upholding import DEEDS

__all__ = [
    "DEEDS",
    "Appeal",
    "Holdings",
    "LiveStreams",
    "decide_appeal",
    "holdings_of",
    "raise_appeal",
]
