"""Proposals, reviews, published documents, shadow runs, factor corrections."""

from app.migrations import apply

revision = "0015_governance"
down_revision = "0014_quality"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0015_governance.up")


def downgrade() -> None:
    """Undo it."""
    apply("0015_governance.down")
