"""Carbon-neutral gatherings (大型活动碳中和): plan, inventory, actions."""

from app.migrations import apply

revision = "0031_gatherings"
down_revision = "0030_recalls"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0031_gatherings.up")


def downgrade() -> None:
    """Undo it."""
    apply("0031_gatherings.down")
