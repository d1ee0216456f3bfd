"""Webhook endpoints, messages, deliveries; notices."""

from app.migrations import apply

revision = "0021_webhooks"
down_revision = "0020_settlements"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0021_webhooks.up")


def downgrade() -> None:
    """Undo it."""
    apply("0021_webhooks.down")
