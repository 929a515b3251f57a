"""Decisions keep what they stood on, encrypted; queries no longer keep it in the clear."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The facts of earlier queries go with their column: no key may be at hand here. Their commitments stay."""
    op.execute("""
        CREATE TABLE decision (
            id UUID NOT NULL,
            at TIMESTAMPTZ NOT NULL,
            question_schema TEXT NOT NULL,
            policy_revision TEXT NOT NULL,
            engine TEXT NOT NULL,
            allow BOOLEAN NOT NULL,
            key_id TEXT NOT NULL,
            sealed BYTEA NOT NULL,
            CONSTRAINT pk_decision PRIMARY KEY (id)
        )
    """)
    op.execute("CREATE INDEX ix_decision_at_id ON decision (at, id)")
    op.execute(f"GRANT SELECT, INSERT, DELETE ON decision TO {SERVICE}")
    op.execute("ALTER TABLE query DROP COLUMN question")
