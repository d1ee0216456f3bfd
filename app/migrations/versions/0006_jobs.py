"""The slots of the ticker."""

from app.migrations import apply

revision = "0006_jobs"
down_revision = "0005_anchoring"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0006_jobs.up")


def downgrade() -> None:
    """Undo it."""
    apply("0006_jobs.down")
