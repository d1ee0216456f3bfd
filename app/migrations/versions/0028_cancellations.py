"""Voluntary cancellations (自愿注销) and certificates."""

from app.migrations import apply

revision = "0028_cancellations"
down_revision = "0027_retirements"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0028_cancellations.up")


def downgrade() -> None:
    """Undo it."""
    apply("0028_cancellations.down")
