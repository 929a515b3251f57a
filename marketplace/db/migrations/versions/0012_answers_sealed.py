"""Answers lie encrypted, large ones in files; queries can be cancelled; offers bound the time that they take."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Answers kept so far lie in the clear and go: no key may be at hand here."""
    op.execute("DELETE FROM query_result")
    op.execute("ALTER TABLE query_result ALTER COLUMN body DROP NOT NULL")
    op.execute("ALTER TABLE query_result ADD COLUMN wrapped_key BYTEA NOT NULL")
    op.execute("ALTER TABLE query_result ADD COLUMN size_bytes BIGINT NOT NULL")
    op.execute("ALTER TABLE query ADD COLUMN cancel_asked_at TIMESTAMPTZ")
    op.execute("ALTER TABLE offer ADD COLUMN max_seconds BIGINT")
