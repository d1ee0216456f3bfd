"""Orders, vouchers, redemptions."""

from app.migrations import apply

revision = "0019_orders"
down_revision = "0018_offers"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0019_orders.up")
    apply("0019_deeds.up")


def downgrade() -> None:
    """Undo it."""
    apply("0019_deeds.down")
    apply("0019_orders.down")
