"""Appeals, and what the wallet reads by person."""

from app.migrations import apply

revision = "0012_wallet"
down_revision = "0011_points"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0012_wallet.up")


def downgrade() -> None:
    """Undo it."""
    apply("0012_wallet.down")
