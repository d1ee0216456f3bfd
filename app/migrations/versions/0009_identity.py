"""Logins, codes, sessions, clerks, partners."""

from app.migrations import apply

revision = "0009_identity"
down_revision = "0008_desk"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0009_identity.up")


def downgrade() -> None:
    """Undo it."""
    apply("0009_identity.down")
