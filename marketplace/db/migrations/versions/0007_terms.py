"""What a startup promised, what an owner granted and judged, and the class in which a version was listed."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Earlier rows promised and limited nothing; versions listed before have no class."""
    for table, column in (("application", "promises"), ("agreement", "promises"), ("agreement", "limits")):
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} JSONB NOT NULL DEFAULT '{{}}'")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    op.execute("ALTER TABLE agreement ADD COLUMN purpose_judged BOOLEAN NOT NULL DEFAULT false")
    op.execute("ALTER TABLE agreement ALTER COLUMN purpose_judged DROP DEFAULT")
    op.execute("ALTER TABLE dataset_version ADD COLUMN state_class TEXT")
    op.execute("ALTER TABLE dataset_version ADD COLUMN personal_class TEXT")
