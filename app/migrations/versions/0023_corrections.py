"""A correction may be told again after another one."""

from app.migrations import apply

revision = "0023_corrections"
down_revision = "0022_notices"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0023_corrections.up")


def downgrade() -> None:
    """Undo it."""
    apply("0023_corrections.down")
