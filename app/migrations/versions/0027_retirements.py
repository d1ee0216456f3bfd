"""Retirements (注销使用): held, given their serials, told to the chain in one order."""

from app.migrations import apply

revision = "0027_retirements"
down_revision = "0026_registry"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0027_retirements.up")


def downgrade() -> None:
    """Undo it."""
    apply("0027_retirements.down")
