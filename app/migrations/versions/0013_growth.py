"""Teams, challenges, boards, statements of the score."""

from app.migrations import apply

revision = "0013_growth"
down_revision = "0012_wallet"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0013_growth.up")


def downgrade() -> None:
    """Undo it."""
    apply("0013_growth.down")
