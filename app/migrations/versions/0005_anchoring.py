"""Log, account map, epochs, outbox."""

from app.migrations import apply

revision = "0005_anchoring"
down_revision = "0004_activities"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0005_anchoring.up")


def downgrade() -> None:
    """Undo it."""
    apply("0005_anchoring.down")
