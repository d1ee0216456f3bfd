"""Merchants, their users and tills."""

from app.migrations import apply

revision = "0017_merchants"
down_revision = "0016_upkeep"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0017_merchants.up")


def downgrade() -> None:
    """Undo it."""
    apply("0017_merchants.down")
