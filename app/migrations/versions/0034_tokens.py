"""A token binds its cap while it lives, an evening's donation has a place, a payment pays once."""

from app.migrations import apply

revision = "0034_tokens"
down_revision = "0033_mall_orders"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0034_tokens.up")


def downgrade() -> None:
    """Undo it."""
    apply("0034_tokens.down")
