"""Upkeep of the books and of what is anchored."""

from app.migrations import apply

revision = "0016_upkeep"
down_revision = "0015_governance"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0016_upkeep.up")


def downgrade() -> None:
    """Undo it."""
    apply("0016_upkeep.down")
