"""Acts, their keys, caps, uploads and outcomes."""

from app.migrations import apply

revision = "0004_activities"
down_revision = "0003_parties"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0004_activities.up")


def downgrade() -> None:
    """Undo it."""
    apply("0004_activities.down")
