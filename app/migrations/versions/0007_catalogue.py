"""What was decided about methodologies."""

from app.migrations import apply

revision = "0007_catalogue"
down_revision = "0006_jobs"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0007_catalogue.up")


def downgrade() -> None:
    """Undo it."""
    apply("0007_catalogue.down")
