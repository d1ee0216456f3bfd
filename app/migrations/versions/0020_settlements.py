"""Merchants' statements, disputes, payouts."""

from app.migrations import apply

revision = "0020_settlements"
down_revision = "0019_orders"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0020_settlements.up")


def downgrade() -> None:
    """Undo it."""
    apply("0020_settlements.down")
