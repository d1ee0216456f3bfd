"""The books: who holds how much of what, and why (账本).

The laws, held by the core, by the database and by the audit:

1. Every movement is a transfer of a positive whole amount of one asset from one account to
   another, so that an unbalanced entry cannot be written.
2. Per asset the sum over all accounts is zero; owners never go below zero.
3. Transfers are immutable; a correction is a new transfer that names the one it corrects.
4. One cause posts once.
5. A stored balance is the replay of its transfers.
6. One gram, one exit.
7. Grade walls: nothing of grade B reaches `pool`, and no behaviour becomes a reduction.

Beside them stand the published bytes (`encoding`), the log (`log`, `tiles`), the account map
(`account_map`), the header, and `verify_receipt.py`, which needs none of the others. The
package is arithmetic: it opens nothing, asks no clock and knows no methodology.
"""

from ledger.accounts import Account, AccountKind, bucket_of, held_of, owner, system
from ledger.assets import Asset, Money, Points, Reduction, Unit, asset_key
from ledger.chart import Code
from ledger.errors import LedgerError, NotInChart, Overdrawn
from ledger.header import Header
from ledger.numbering import number
from ledger.posting import Posted, post
from ledger.transfers import Transfer

__all__ = [
    "Account",
    "AccountKind",
    "Asset",
    "Code",
    "Header",
    "LedgerError",
    "Money",
    "NotInChart",
    "Overdrawn",
    "Points",
    "Posted",
    "Reduction",
    "Transfer",
    "Unit",
    "asset_key",
    "bucket_of",
    "held_of",
    "number",
    "owner",
    "post",
    "system",
]
