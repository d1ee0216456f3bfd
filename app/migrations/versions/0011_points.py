"""Programmes, budgets, exchanges, debts."""

from app.migrations import apply

revision = "0011_points"
down_revision = "0010_privacy"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0011_points.up")


def downgrade() -> None:
    """Undo it."""
    apply("0011_points.down")
