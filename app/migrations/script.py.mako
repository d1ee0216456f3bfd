"""${message}."""

from app.migrations import apply

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply the SQL beside this file."""
    apply("${up_revision}.up")


def downgrade() -> None:
    """Undo it."""
    apply("${up_revision}.down")
