"""Orders say what was bought, and what was published is kept."""

from app.migrations import apply

revision = "0033_mall_orders"
down_revision = "0032_neutrality"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0033_mall_orders.up")
    apply("0033_deeds.up")


def downgrade() -> None:
    """Undo it; the deeds of 0019 are made anew, since these replaced them."""
    apply("0019_deeds.down")
    apply("0033_mall_orders.down")
    apply("0019_deeds.up")
    apply("0033_deeds.down")
