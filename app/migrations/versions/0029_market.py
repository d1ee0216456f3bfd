"""The market (市场): listings, quotes, purchases, purposes."""

from app.migrations import apply

revision = "0029_market"
down_revision = "0028_cancellations"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0029_market.up")


def downgrade() -> None:
    """Undo it."""
    apply("0029_market.down")
