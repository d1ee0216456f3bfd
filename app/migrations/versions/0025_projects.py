"""Projects (减排项目): applied for, registered, monitored."""

from app.migrations import apply

revision = "0025_projects"
down_revision = "0024_organisations"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0025_projects.up")


def downgrade() -> None:
    """Undo it."""
    apply("0025_projects.down")
