"""How providers do, and their corrections."""

from app.migrations import apply

revision = "0014_quality"
down_revision = "0013_growth"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0014_quality.up")


def downgrade() -> None:
    """Undo it."""
    apply("0014_quality.down")
