"""Answers kept, the desk's audit log, requests for a second signature."""

from app.migrations import apply

revision = "0008_desk"
down_revision = "0007_catalogue"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0008_desk.up")


def downgrade() -> None:
    """Undo it."""
    apply("0008_desk.down")
