"""Recalls (撤回) and the daily conservation closing."""

from app.migrations import apply

revision = "0030_recalls"
down_revision = "0029_market"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0030_recalls.up")


def downgrade() -> None:
    """Undo it."""
    apply("0030_recalls.down")
