"""Anchoring (存证): what happened becomes entries, entries an epoch, an epoch one word on a chain.

``Notary`` closes epochs, publishes their tiles and checkpoints and submits their headers;
``register`` tells the registry of units what was issued, retired and cancelled;
``export_receipt`` opens one owner's leaf; ``app.anchoring.evm`` holds what speaks to a chain and
is imported by workers and the command line alone. What is trusted: PostgreSQL for durability and
not for honesty, the signer guard's file never to be rolled back, the chain as far as its
validators are. The decisions are in docs/decisions/0015-epoch-close.md.
"""

from app.anchoring.chain import Chain, Identity, Place, Register, RegisterTotals, Sender, Signed
from app.anchoring.finality import Finality
from app.anchoring.guard import Guard
from app.anchoring.notary import Notary, Status
from app.anchoring.publishing import header_lines
from app.anchoring.receipts import export_receipt
from app.anchoring.registering import Registered, register
from app.anchoring.submitting import Submitted

__all__ = [
    "Chain",
    "Finality",
    "Guard",
    "Identity",
    "Notary",
    "Place",
    "Register",
    "RegisterTotals",
    "Registered",
    "Sender",
    "Signed",
    "Status",
    "Submitted",
    "export_receipt",
    "header_lines",
    "register",
]
