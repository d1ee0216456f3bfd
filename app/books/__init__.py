"""The ledger on disk (账簿): the one domain that may write accounts, balances and transfers.

Others post through :func:`post` (set-based, for uploads) inside their own transaction, open
owners with :func:`open_owners`, name assets with :func:`asset_ids`, and write entries that move
nothing with :func:`write_notes`. A deed that is a function of the schema posts with ``move_points``
(``0019_deeds.up.sql``), which does for one owner what :func:`post` does for many. What the database
itself refuses is in ``app/migrations/sql/0001_books.up.sql``; what it cannot see, ``tanpu
audit`` recomputes.
"""

from app.books.assets import asset_ids
from app.books.closed import sweep_balances
from app.books.errors import AccountUnknown, Overdrawn
from app.books.lapsing import erased_among
from app.books.notes import Note, write_notes
from app.books.openings import ClaimText, keep_texts, texts_of
from app.books.owners import open_owners
from app.books.posting import Row, post

__all__ = [
    "AccountUnknown",
    "ClaimText",
    "Note",
    "Overdrawn",
    "Row",
    "asset_ids",
    "erased_among",
    "keep_texts",
    "open_owners",
    "post",
    "sweep_balances",
    "texts_of",
    "write_notes",
]
