"""The registry (登记簿): lots, their verification, and issued batches."""

from app.migrations import apply

revision = "0026_registry"
down_revision = "0025_projects"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0026_registry.up")


def downgrade() -> None:
    """Undo it."""
    apply("0026_registry.down")
