"""Who waits in a version, by reason: for its owner only."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of versions before this nothing is known."""
    op.execute("ALTER TABLE dataset_version ADD COLUMN waiting JSONB NOT NULL DEFAULT '[]'::jsonb")
