"""Who takes part: providers, subjects, consents, links."""

from app.migrations import apply

revision = "0003_parties"
down_revision = "0002_chart"


def upgrade() -> None:
    """Apply the SQL of this revision."""
    apply("0003_parties.up")


def downgrade() -> None:
    """Undo it."""
    apply("0003_parties.down")
