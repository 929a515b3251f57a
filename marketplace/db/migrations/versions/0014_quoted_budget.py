"""dp mode: a quote keeps the ρ it was for, and whether the answer was stored; kept answers can be replaced."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of earlier quotes nobody knows which ρ they were for: in dp mode they match no query, and live minutes."""
    op.execute("ALTER TABLE quote ADD COLUMN rho_micro BIGINT")
    op.execute("ALTER TABLE quote ADD COLUMN stored BOOLEAN NOT NULL DEFAULT false")
    op.execute("ALTER TABLE quote ALTER COLUMN stored DROP DEFAULT")
    op.execute(f"GRANT UPDATE ON private_answer TO {SERVICE}")
