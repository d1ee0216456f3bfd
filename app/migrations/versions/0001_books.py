"""The books: owners, balances, transfers, what awaits the log."""

from app.migrations import apply

revision = "0001_books"
down_revision = None


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0001_books.up")


def downgrade() -> None:
    """Undo it."""
    apply("0001_books.down")
