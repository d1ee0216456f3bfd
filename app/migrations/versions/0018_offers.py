"""Offers, images, stock."""

from app.migrations import apply

revision = "0018_offers"
down_revision = "0017_merchants"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0018_offers.up")


def downgrade() -> None:
    """Undo it."""
    apply("0018_offers.down")
