"""What makes a gathering neutral: reservations, statements, shares, gifts."""

from app.migrations import apply

revision = "0032_neutrality"
down_revision = "0031_gatherings"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0032_neutrality.up")


def downgrade() -> None:
    """Undo it."""
    apply("0032_neutrality.down")
