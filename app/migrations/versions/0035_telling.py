"""A till's slow clock is borne with; a token that may yet be told of is not its order's end."""

from app.migrations import apply

revision = "0035_telling"
down_revision = "0034_tokens"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0035_telling.up")


def downgrade() -> None:
    """Undo it."""
    apply("0035_telling.down")
