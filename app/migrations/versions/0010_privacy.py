"""Personal fields, guardians, erasures."""

from app.migrations import apply

revision = "0010_privacy"
down_revision = "0009_identity"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0010_privacy.up")


def downgrade() -> None:
    """Undo it."""
    apply("0010_privacy.down")
