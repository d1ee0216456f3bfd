"""Notices, giving to the public benefit, campaign simulations."""

from app.migrations import apply

revision = "0022_notices"
down_revision = "0021_webhooks"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0022_notices.up")


def downgrade() -> None:
    """Undo it."""
    apply("0022_notices.down")
