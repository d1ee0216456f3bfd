"""The chart of accounts as a check on the row."""

from app.migrations import apply

revision = "0002_chart"
down_revision = "0001_books"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0002_chart.up")


def downgrade() -> None:
    """Undo it."""
    apply("0002_chart.down")
