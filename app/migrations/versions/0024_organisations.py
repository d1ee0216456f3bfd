"""Organisations (机构): who buys, organises and owns projects."""

from app.migrations import apply

revision = "0024_organisations"
down_revision = "0023_corrections"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0024_organisations.up")


def downgrade() -> None:
    """Undo it."""
    apply("0024_organisations.down")
